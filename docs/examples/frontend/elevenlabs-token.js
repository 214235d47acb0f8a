// A token opens one socket, once. Each call of `connect` fetches a new token, and nothing stores it.

/**
 * @param {{ route?: string, tokenType?: string, signal?: AbortSignal }} [options]
 * @returns {Promise<{ token: string, token_type: string, expires_at: string, websocket_base_url: string }>}
 */
export async function fetchToken({ route = "/elevenlabs-token", tokenType = "realtime_scribe", signal } = {}) {
  await null; // React's StrictMode aborts its first call at once: then that call sends nothing
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ token_type: tokenType });
  const response = await fetch(route, { method: "POST", credentials: "include", headers, body, signal });
  if (response.ok) return response.json();
  throw Object.assign(new Error(`${route} answered ${response.status}`), {
    status: response.status, // 401: not signed in; 429: too many tokens; 503: no token at the moment
    retryAfterInSeconds: Number(response.headers.get("Retry-After")) || undefined, // with 429 and 503
  });
}

/** @param {{ route?: string, signal?: AbortSignal, query?: Record<string, string> }} [options] */
export async function connect({ route, signal, query } = {}) {
  const { token, websocket_base_url } = await fetchToken({ route, signal });
  signal?.throwIfAborted();
  const parameters = new URLSearchParams({ model_id: "scribe_v2_realtime", ...query, token });
  const socket = new WebSocket(`${websocket_base_url}/v1/speech-to-text/realtime?${parameters}`);
  signal?.addEventListener("abort", () => socket.close());
  return socket;
}
