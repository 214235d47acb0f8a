// React: transcribes the microphone with the vendor's hook, and fetches a token for each connection.
//
// Start one of the example apps on port 8000, such as fastapi_app.py, with the emulator or with the real API.
// Then, in the folder above this one: `npm ci`, `npm run dev`.

import { CommitStrategy, useScribe } from "@elevenlabs/react";
import { useActionState, useEffect, useState } from "react";

import { fetchToken } from "../../frontend/elevenlabs-token.js";

const OPTIONS = {
  modelId: "scribe_v2_realtime",
  commitStrategy: CommitStrategy.VAD,
  microphone: { echoCancellation: true, noiseSuppression: true },
};

const AGAIN = "Connect again: that fetches a new token.";
const IN_WORDS = {
  disconnected: "Not connected.",
  connecting: "Connecting.",
  connected: "Connected. Say something.",
  transcribing: "Connected. Listening to you.",
  error: AGAIN,
};

export function App() {
  const [connections, setConnections] = useState(0);
  const [signedIn, signIn] = useActionState(signInFrom, "");

  return (
    <main>
      <h1>Live transcription</h1>
      <form action={signIn}>
        <label htmlFor="name">Your name</label>
        <input id="name" name="name" autoComplete="username" required />
        <button>Sign in</button>
        <p role="status">{signedIn}</p>
      </form>
      <button onClick={() => setConnections(connections + 1)}>
        {connections === 0 ? "Transcribe the microphone" : "Connect again"}
      </button>{" "}
      {connections > 0 && <button onClick={() => setConnections(0)}>Stop</button>}
      {/* A new key makes a new component, and that connects with a token of its own. */}
      {connections > 0 && <Transcript key={connections} />}
    </main>
  );
}

async function signInFrom(_previous: string, form: FormData) {
  const name = String(form.get("name"));
  const headers = { "Content-Type": "application/json" };
  const response = await fetch("/sign-in", { method: "POST", headers, body: JSON.stringify({ name }) }).catch(() => null);
  return response?.ok ? `You are signed in as ${name}.` : "You are not signed in: that did not work. Try again later.";
}

function Transcript() {
  const { connect, disconnect, status, error, partialTranscript, committedTranscripts } = useScribe(OPTIONS);
  const [refusal, setRefusal] = useState("");

  // StrictMode runs this twice, and the cleanup in between: the first run is aborted before it sends anything.
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    fetchToken({ signal })
      .then(({ token, websocket_base_url }) => {
        signal.throwIfAborted();
        return connect({ token, baseUri: websocket_base_url }); // the emulator, if the token comes from there
      })
      .catch((reason) => signal.aborted || setRefusal(inPlainWords(reason)));
    return () => {
      controller.abort();
      disconnect();
    };
  }, [connect, disconnect]);

  return (
    <>
      <p role="status">{refusal || (error && `The connection ended: ${error}. ${AGAIN}`) || IN_WORDS[status]}</p>
      <div aria-live="polite">
        {committedTranscripts.map(({ id, text }) => (
          <p key={id}>{text}</p>
        ))}
      </div>
      <p>{partialTranscript}</p>
    </>
  );
}

function inPlainWords({ status, retryAfterInSeconds, message }: {
  status?: number;
  retryAfterInSeconds?: number;
  message: string;
}) {
  const again = retryAfterInSeconds ? `Try again in ${retryAfterInSeconds} seconds.` : "Try again later.";
  if (status === 401) return "You are not signed in. Sign in, then connect again.";
  if (status === 429) return `You have asked for too many tokens. ${again}`;
  if (status === 503) return `Transcription is not available at the moment. ${again}`;
  return `That did not work: ${message}`;
}
