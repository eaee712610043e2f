"""Reads the evaluation sets of nlu with hassil and the sentence templates of Home Assistant, and writes the readings in
the form of those of this program, so that the same test scores both.

usage: run.py DATA OUT
DATA holds the sets, OUT gets "<set> <home>.jsonl", as LAMPWORKS_NLU_READINGS does. Each set of intents is read with each
line's own home and with all homes in one; the sets about the demo home are free sentences: the answer of hassil, an intent
with slots, is carried out there as Home Assistant does, and told as actions.
"""

import json
import pathlib
import sys
import time

from hassil import Intents, recognize_best
from hassil.intents import TextSlotList
from home_assistant_intents import get_intents

LANGUAGES = {"ha-zh-CN": "zh-CN", "ha-en": "en", "ha-zh-TW": "zh-TW", "ha-zh-HK": "zh-HK"}
FREE = ["genie-zh-CN", "genie-en", "genie-noise-zh-CN", "blind"]

loaded = {}


def intents(language):
    if language not in loaded:
        loaded[language] = Intents.from_dict(get_intents(language))
    return loaded[language]


def listed(value):
    return value if isinstance(value, list) else [value]


def lists(home):
    """The slot lists of a home: names with what the templates ask of them, areas, floors."""
    names, areas, floors = [], {}, {}
    for area in home.get("areas", []):
        for name in listed(area["name"]):
            areas[name] = listed(area["name"])[0]
        for floor in listed(area["floor"]) if area.get("floor") else []:
            floors[floor] = floor
    for floor in home.get("floors", []):
        for name in listed(floor["name"]):
            floors[name] = listed(floor["name"])[0]
    for entity in home.get("entities", []):
        context = {"domain": entity["domain"], **{k: v for k, v in entity.get("attributes", {}).items() if isinstance(v, str)}}
        if entity.get("area"):
            context["area"] = listed(entity["area"])[0]
        for name in listed(entity["name"]):
            names.append((name, entity.get("id", listed(entity["name"])[0]), context))
    made = {"name": names, "area": list(areas.items()), "floor": list(floors.items())}
    return {key: TextSlotList.from_tuples(values, allow_template=False, name=key) for key, values in made.items()}


def read(text, language, slots, room):
    """The best result and how many microseconds it took."""
    start = time.perf_counter()
    result = recognize_best(text, intents(language), slot_lists=slots, intent_context={"area": room} if room else None, language=language, best_slot_name="name")
    return result, round((time.perf_counter() - start) * 1e6)


def by_intent(data, out, name):
    lines = [json.loads(line) for line in (data / f"{name}.jsonl").open(encoding="utf-8")]
    whole = lists(json.loads((data / f"ha-home-{LANGUAGES[name]}.json").read_text(encoding="utf-8")))
    for label, own in (("own context", True), (f"ha-home-{LANGUAGES[name]}", False)):
        with (out / f"{name} {label}.jsonl").open("w", encoding="utf-8") as f:
            for line in lines:
                context = line["context"]
                slots = lists(context) if own else whole
                result, took = read(line["utterance"], LANGUAGES[name], slots, context.get("speaker_area"))
                reading = {"id": line["id"], "latency_us": took}
                if result:
                    reading["intent"] = result.intent.name
                    reading["slots"] = {key: entity.value for key, entity in result.entities.items()}
                f.write(json.dumps(reading, ensure_ascii=False) + "\n")


DOMAINS = {"light": "light", "ac": "climate", "curtain": "cover", "tv": "media_player", "speaker": "media_player", "purifier": "fan", "vacuum": "vacuum",
           "sensor": "sensor", "humidifier": "humidifier", "fan": "fan", "blanket": "switch", "socket": "switch", "hood": "fan", "kettle": "switch",
           "fridge": "climate", "heater": "switch", "water_heater": "water_heater", "rack": "cover", "washer": "switch", "lock": "lock"}
LIGHTS = {"brightness": "brightness", "color": "color", "temperature": "color_temperature"}
PLAYS = {"HassMediaPause": "pause", "HassMediaUnpause": "play", "HassMediaNext": "next", "HassMediaPrevious": "previous"}


class Demo:
    """The demo home, as entities and as what intents do to it."""

    def __init__(self, home, language):
        self.key = "zh" if language.startswith("zh") else "en"
        self.rooms = {r["id"]: r["name"][self.key] for r in home["rooms"]}
        self.devices = {d["id"]: d for d in home["devices"]}
        self.scenes = {s["name"][self.key]: s["id"] for s in home["scenes"]}
        told = {"areas": [{"name": [r["name"][self.key], *r["aliases"][self.key]]} for r in home["rooms"]], "entities": []}
        for device in home["devices"]:
            names = [device["name"][self.key], *device["aliases"][self.key]]
            domain = DOMAINS[device["type"]]
            attributes = {"device_class": "curtain"} if device["type"] == "curtain" else {}
            told["entities"].append({"id": device["id"], "name": names, "domain": domain, "area": self.rooms[device["room"]], "attributes": attributes})
        for name, scene in self.scenes.items():
            told["entities"].append({"id": "scene:" + scene, "name": [name], "domain": "scene"})
        self.slots = lists(told)

    def targets(self, slots, room, able):
        """The devices that the slots mean: a name is the device in the room said or spoken from, if it is not the only one."""
        if "name" in slots:
            said = self.devices.get(slots["name"])
            if said is None:
                return []
            same = [d for d in self.devices.values() if d["name"][self.key] == said["name"][self.key]]
            for place in (slots.get("area"), room):
                if place and any(self.rooms[d["room"]] == place for d in same):
                    return [d["id"] for d in same if self.rooms[d["room"]] == place]
            return [said["id"]] if len(same) == 1 else []
        domain, area = slots.get("domain"), slots.get("area")
        if not domain and not area and not slots.get("device_class"):
            return []
        return [
            d["id"] for d in self.devices.values()
            if able(d) and (not domain or DOMAINS[d["type"]] == domain) and (not slots.get("device_class") or d["type"] == slots["device_class"])
            and (not area or self.rooms[d["room"]] == area)
        ]

    def act(self, intent, slots, room):
        def put(prop, value, slots=slots):
            devices = self.targets(slots, room, lambda d: prop in d["properties"])
            return [{"op": "set", "targets": devices, "prop": prop, "value": value}] if devices else None

        if str(slots.get("name", "")).startswith("scene:"):
            return [{"op": "scene", "scene": slots["name"].removeprefix("scene:")}]
        if intent in ("HassTurnOn", "HassTurnOff"):
            on = intent == "HassTurnOn"
            device = self.devices.get(slots.get("name"))
            if slots.get("domain") == "cover" or device and "position" in device["properties"]:
                return put("position", 100 if on else 0)
            if slots.get("domain") == "lock" or device and "locked" in device["properties"]:
                return put("locked", on)
            if device and device["type"] == "vacuum":
                return put("state", "clean" if on else "dock")
            return put("power", on)
        if intent == "HassLightSet":
            acts = [put(prop, slots[key], {"domain": "light", **slots}) for key, prop in LIGHTS.items() if key in slots]
            return sum(acts, []) if acts and all(acts) else None
        if intent == "HassClimateSetTemperature":
            place = slots if {"name", "area"} & set(slots) else {"area": room, **slots}
            return put("target_temperature", slots.get("temperature"), {"domain": "climate", **place})
        if intent == "HassClimateGetTemperature":
            place = slots if {"name", "area"} & set(slots) or not room else {"area": room, **slots}
            devices = self.targets(place, room, lambda d: "temperature" in d["properties"])
            return [{"op": "query", "targets": devices, "prop": "temperature"}] if devices else None
        if intent == "HassSetPosition":
            return put("position", slots.get("position"))
        if intent == "HassSetVolume":
            return put("volume", slots.get("volume_level"), {"domain": "media_player", **slots})
        if intent in ("HassMediaPlayerMute", "HassMediaPlayerUnmute"):
            return put("mute", intent == "HassMediaPlayerMute", {"domain": "media_player", **slots})
        if intent in PLAYS:
            return put("playback", PLAYS[intent], {"domain": "media_player", "area": room, **slots})
        if intent == "HassVacuumStart":
            return put("state", "clean", {"domain": "vacuum", **slots})
        if intent == "HassVacuumReturnToBase":
            return put("state", "dock", {"domain": "vacuum", **slots})
        if intent == "HassStartTimer":
            return [{"op": "timer", "seconds": 3600 * slots.get("hours", 0) + 60 * slots.get("minutes", 0) + slots.get("seconds", 0)}]
        if intent in ("HassCancelTimer", "HassCancelAllTimers"):
            return [{"op": "timer_cancel"}]
        if intent == "HassTimerStatus":
            return [{"op": "timer_query"}]
        if intent == "HassGetState" and "name" in slots:
            prop = next(iter(p for p in ("power", "locked", "position", "temperature") if p in self.devices[slots["name"]]["properties"]), None)
            devices = self.targets(slots, room, lambda d: True)
            return [{"op": "query", "targets": devices, "prop": prop}] if prop and devices else None
        return None


def free(data, out, path):
    home = json.loads((data / "genie-home.json").read_text(encoding="utf-8"))
    demos = {language: Demo(home, language) for language in ("zh-CN", "en")}
    with (out / f"{path.stem} genie-home.jsonl").open("w", encoding="utf-8") as f:
        for text in path.open(encoding="utf-8"):
            line = json.loads(text)
            demo = demos[line["lang"]]
            room = demo.rooms.get(line["context"].get("speaker_room"))
            result, took = read(line["utterance"], line["lang"], demo.slots, room)
            reading = {"id": line["id"], "latency_us": took, "outcome": "chat", "actions": []}
            if result:
                slots = {key: entity.value for key, entity in result.entities.items()}
                actions = demo.act(result.intent.name, slots, room)
                reading.update(intent=result.intent.name, outcome="act" if actions else "clarify", actions=actions or [])
            f.write(json.dumps(reading, ensure_ascii=False) + "\n")


def main():
    data, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    for name in LANGUAGES:
        by_intent(data, out, name)
    for name in FREE:
        path = data / f"{name}.jsonl"
        if not path.exists():  # the blind set is of this tree
            path = pathlib.Path(__file__).parents[2] / "nlu" / "testdata" / f"{name}.jsonl"
        free(data, out, path)


main()
