"""Asks a server as Home Assistant does, a connection a request, with its own library.

Reads requests from standard input, a line of JSON each, and writes what came back.
"""

import asyncio
import json
import sys

from wyoming.asr import Transcript
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.handle import Handled, NotHandled
from wyoming.info import Describe, Info
from wyoming.intent import Intent, NotRecognized, Recognize
from wyoming.ping import Ping, Pong


async def ask(host, port, request, ends):
    """Sends one event, and reads until one of the types in ends has come."""
    async with AsyncTcpClient(host, port) as client:
        await client.write_event(request.event())
        while True:
            event = await client.read_event()
            if event is None:
                return None
            for end in ends:
                if end.is_type(event.type):
                    return end.from_event(event)


async def answer(host, port, asked):
    if asked["do"] == "describe":
        info = await ask(host, port, Describe(), [Info])
        program = info.handle[0]
        return {
            "programs": len(info.handle),
            "others": len(info.asr) + len(info.tts) + len(info.intent) + len(info.wake) + len(info.mic) + len(info.snd),
            "installed": program.installed,
            "home": program.supports_home_control,
            "by": program.attribution.name,
            "languages": [language for model in program.models for language in model.languages],
        }
    if asked["do"] == "ping":
        return {"pong": (await ask(host, port, Ping(text=asked["text"]), [Pong])).text}
    if asked["do"] == "recognize":
        found = await ask(host, port, Recognize(text=asked["text"]), [Intent, NotRecognized, Error])
        if isinstance(found, Intent):
            return {"intent": found.name, "entities": {entity.name: entity.value for entity in found.entities}}
        return {"what": type(found).__name__, "text": found.text}
    said = Transcript(text=asked["text"], language=asked.get("language"), context=asked.get("context"))
    heard = await ask(host, port, said, [Handled, NotHandled, Error])
    return {"what": type(heard).__name__, "text": heard.text if heard else None}


async def main():
    host, port = sys.argv[1], int(sys.argv[2])
    for line in sys.stdin:
        out = await asyncio.wait_for(answer(host, port, json.loads(line)), 20)
        print(json.dumps(out, ensure_ascii=False), flush=True)


asyncio.run(main())
