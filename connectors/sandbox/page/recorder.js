// Recording a voice with the microphone, where browser and page address allow it.

export const canRecord = () =>
  Boolean(window.isSecureContext && navigator.mediaDevices?.getUserMedia && window.MediaRecorder);

/** Starts at once; `finish()` answers the recording as a File. Rejects when the visitor does
 * not allow the microphone. */
export async function startRecording() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const recorder = new MediaRecorder(stream);
  const chunks = [];
  recorder.addEventListener("dataavailable", (event) => chunks.push(event.data));
  const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve));
  recorder.start();
  return {
    async finish() {
      recorder.stop();
      await stopped;
      stream.getTracks().forEach((track) => track.stop());
      const type = recorder.mimeType.split(";")[0] || "audio/webm";
      return new File(chunks, `录音.${type.split("/")[1]}`, { type });
    },
  };
}
