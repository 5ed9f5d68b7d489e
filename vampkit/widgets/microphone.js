// The microphone: records until `stop`, and gives mono samples. Where it cannot be used, one sentence says why.
const REASONS = { NotAllowedError: "it was not allowed", NotFoundError: "there is none", NotReadableError: "another program uses it" };

// done(samples, rate, place) is called with what was recorded; over() when the microphone is free again. ready() is waited for once it is allowed; `where(at)` says to which place of the sound belongs what is heard at that moment, the recording's beginning. sharp: no filter of the browser's softens the attacks.
export async function microphone(done, over, { ready = () => {}, where = () => 0, sharp = false } = {}) {
  if (!navigator.mediaDevices?.getUserMedia) throw new Error("The microphone cannot be used here: the page's address is not a secure one");
  let stream;
  try { stream = await navigator.mediaDevices.getUserMedia({ audio: sharp ? { echoCancellation: false, noiseSuppression: false, autoGainControl: false } : true }); }
  catch (error) { throw new Error(`The microphone cannot be used here: ${REASONS[error.name] ?? error.message}`); }
  const recorder = new MediaRecorder(stream), pieces = [];
  let place = 0;
  recorder.onstart = (event) => { place = where(event.timeStamp) - (stream.getAudioTracks()[0]?.getSettings().latency ?? 0); };
  recorder.ondataavailable = (event) => pieces.push(event.data);
  recorder.onstop = async () => {
    stream.getTracks().forEach((track) => track.stop());
    over();
    const heard = await new OfflineAudioContext(1, 1, 44100).decodeAudioData(await new Blob(pieces).arrayBuffer());
    done(heard.getChannelData(0), heard.sampleRate, place);
  };
  try { await ready(); } catch (error) { stream.getTracks().forEach((track) => track.stop()); throw error; }
  recorder.start();
  return { stop: () => recorder.state !== "inactive" && recorder.stop() };
}
