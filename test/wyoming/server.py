"""A recogniser and a voice made with Home Assistant's own library.

The recogniser hears the text that is given, or else tells how much sound came, and of which kind; the voice speaks 100
samples a character. Prints its port.
"""

import asyncio
import sys

from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.info import AsrModel, AsrProgram, Attribution, Describe, Info, TtsProgram, TtsVoice
from wyoming.server import AsyncEventHandler, AsyncServer
from wyoming.tts import Synthesize

BY = Attribution(name="test", url="https://example.com")


def artifact(name):
    return {"name": name, "attribution": BY, "installed": True, "description": None, "version": None}


INFO = Info(
    asr=[AsrProgram(**artifact("counter"), models=[AsrModel(**artifact("counts"), languages=["zh", "en"])], supports_transcript_streaming=True)],
    tts=[TtsProgram(**artifact("beeper"), voices=[TtsVoice(**artifact("beeps"), languages=["zh-CN", "en-US"])])],
)


class Handler(AsyncEventHandler):
    def __init__(self, reader, writer):
        super().__init__(reader, writer)
        self.asked, self.start, self.samples = None, None, 0

    async def handle_event(self, event):
        if Describe.is_type(event.type):
            await self.write_event(INFO.event())
        elif Transcribe.is_type(event.type):
            self.asked = Transcribe.from_event(event)
        elif AudioStart.is_type(event.type):
            self.start = AudioStart.from_event(event)
            await self.write_event(TranscriptStart(language=self.asked.language).event())
        elif AudioChunk.is_type(event.type):
            chunk = AudioChunk.from_event(event)
            assert (chunk.rate, chunk.width, chunk.channels) == (self.start.rate, self.start.width, self.start.channels)
            if self.samples == 0:
                await self.write_event(TranscriptChunk(text="I hear").event())
            self.samples += chunk.samples
        elif AudioStop.is_type(event.type):
            text = sys.argv[1] or f"{self.samples} samples at {self.start.rate} for {self.asked.name} in {self.asked.language}"
            await self.write_event(Transcript(text=text, language=self.asked.language).event())
            await self.write_event(TranscriptStop().event())
            return False
        elif Synthesize.is_type(event.type):
            said = Synthesize.from_event(event)
            if said.text == "fail" or said.voice is None or said.voice.name != "beeps":
                await self.write_event(Error(text="no such voice", code="tts").event())
                return False
            await self.write_event(AudioStart(rate=22050, width=2, channels=1).event())
            for _ in said.text:
                await self.write_event(AudioChunk(rate=22050, width=2, channels=1, audio=bytes(200)).event())
            await self.write_event(AudioStop().event())
            return False
        return True


async def main():
    server = AsyncServer.from_uri("tcp://127.0.0.1:0")
    await server.start(Handler)
    print(server._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
