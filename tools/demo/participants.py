"""A speaker and listeners, as a page in a browser would be: audio, captions and signaling sockets of one room."""

import asyncio
import json
import struct
import time
import wave

import websockets

FRAME_MS = 20
RATE = 16000
FRAME_BYTES = RATE * FRAME_MS // 1000 * 2


class Participant:
    def __init__(self, user, name, token, url, room):
        self.user, self.name, self.token, self.room = user, name, token, room
        self.base = url.replace("http", "ws", 1) + "/ws"
        self.sockets = []
        self.tasks = []

    async def connect(self, endpoint, subprotocol=None, query=""):
        socket = await websockets.connect(
            f"{self.base}/{endpoint}/{self.room}?{query}", extra_headers={"Authorization": "Bearer " + self.token},
            subprotocols=[subprotocol] if subprotocol else None, max_size=None, compression=None, ping_interval=None)
        self.sockets.append(socket)
        return socket

    def read(self, socket, handler):
        async def loop():
            try:
                async for message in socket:
                    handler(message)
            except websockets.ConnectionClosed:
                pass
        self.tasks.append(asyncio.create_task(loop()))

    async def close(self):
        for socket in self.sockets:
            await socket.close()
        for task in self.tasks:
            task.cancel()


class Speaker(Participant):
    """Sends recordings paced as live."""

    def __init__(self, *args):
        super().__init__(*args)
        self.sent_s = 0.0
        self.total_s = 0.0
        self.speaking = ""
        self.demand = {}

    async def join(self):
        signaling = await self.connect("signaling")
        self.read(signaling, self.on_event)
        self.audio = await self.connect("audio")
        self.read(self.audio, self.on_event)

    def on_event(self, message):
        event = json.loads(message) if isinstance(message, str) else {}
        if event.get("type") == "listeners":
            self.demand = event["languages"]

    async def speak(self, recordings, pause_ms):
        silence = bytes(FRAME_BYTES)
        pieces = []
        for path in recordings:
            with wave.open(path) as recording:
                if (recording.getframerate(), recording.getnchannels(), recording.getsampwidth()) != (RATE, 1, 2):
                    raise ValueError(f"{path}: expected 16 kHz mono s16le")
                pcm = recording.readframes(recording.getnframes())
            frames = [pcm[i:i + FRAME_BYTES].ljust(FRAME_BYTES, b"\0") for i in range(0, len(pcm), FRAME_BYTES)]
            pieces.append((path, frames + [silence] * (pause_ms // FRAME_MS)))
        self.total_s = sum(len(frames) for _, frames in pieces) * FRAME_MS / 1000
        start = time.monotonic()
        count = 0
        for path, frames in pieces:
            self.speaking = path.rsplit("/", 1)[-1]
            for frame in frames:
                await asyncio.sleep(max(0.0, start + count * FRAME_MS / 1000 - time.monotonic()))
                await self.audio.send(frame)
                count += 1
                self.sent_s = count * FRAME_MS / 1000
        self.speaking = ""


class Listener(Participant):
    """Hears one language; keeps what it heard, when, and what it was told."""

    def __init__(self, language, *args):
        super().__init__(*args)
        self.language = language
        self.frames = []           # (arrival, header, pcm)
        self.first_ms = []         # latency of each utterance's first sound
        self.utterances = set()
        self.captions = []         # finals, translated
        self.interim = ""
        self.original = ""
        self.suppressed = {}       # speaker → True while its original is suppressed
        self.suppress_events = 0
        self.restore_events = 0
        self.skipped_ms = 0
        self.suppressed_before_audio = True

    async def join(self):
        self.read(await self.connect("signaling"), self.on_event)
        self.read(await self.connect("captions", "fluentgate.captions.v1"), self.on_caption)
        self.read(await self.connect("audio", "fluentgate.audio.v1"), self.on_audio)

    def on_event(self, message):
        event = json.loads(message)
        if event["type"] == "suppress_original":
            self.suppressed[event["speaker_id"]] = True
            self.suppress_events += 1
        elif event["type"] == "restore_original":
            self.suppressed[event["speaker_id"]] = False
            self.restore_events += 1

    def on_caption(self, message):
        caption = json.loads(message)
        if caption["event"] != "caption":
            return
        if caption["type"] == "original":
            self.original = caption["text"]
        elif caption["language"] == self.language:
            self.interim = caption["text"]
            if caption["is_final"]:
                self.captions.append(caption["text"])

    def on_audio(self, message):
        now = time.monotonic()
        if isinstance(message, str):
            event = json.loads(message)
            if event.get("type") == "skipped":
                self.skipped_ms += event["skipped_ms"]
            return
        length = struct.unpack(">I", message[:4])[0]
        header = json.loads(message[4:4 + length])
        if not self.frames and not self.suppressed.get(header["speaker_id"]):
            self.suppressed_before_audio = False
        if header["utterance_id"] not in self.utterances:
            self.utterances.add(header["utterance_id"])
            if header["latency_ms"] is not None:
                self.first_ms.append(header["latency_ms"])
        self.frames.append((now, header, message[4 + length:]))

    @property
    def heard_s(self):
        return sum(len(pcm) for _, _, pcm in self.frames) / 2 / RATE

    def write_wav(self, path, start):
        """As heard: each frame at its arrival, or right after the one before it."""
        track = bytearray()
        for arrival, header, pcm in self.frames:
            at = int(max(0.0, arrival - start) * RATE) * 2
            if at > len(track):
                track.extend(bytes(at - len(track)))
            track.extend(pcm)
        with wave.open(path, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(RATE)
            out.writeframes(bytes(track))
