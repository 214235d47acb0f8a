import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const backend = "http://127.0.0.1:8000"; // one of the example apps

export default defineConfig({
  plugins: [react()],
  server: {
    fs: { allow: [".."] }, // the snippet is in the folder beside this one
    proxy: { "/elevenlabs-token": backend, "/sign-in": backend }, // so that the page has the backend's origin
  },
});
