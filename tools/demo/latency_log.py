"""Reads the gateway's own `latency` lines: where the time of each frame went."""

import re
from statistics import median

STAGES = ("e2e_ms", "stt_ms", "mt_ms", "tts_ms", "egress_ms")


class LatencyLog:
    """Of each utterance and language the first frame counts: it is the one that a listener waits for."""

    def __init__(self, path):
        self.path = path
        self.position = 0
        self.rest = ""
        self.seen = set()
        self.stages = {stage: [] for stage in STAGES}

    def read(self):
        with open(self.path, errors="replace") as file:
            file.seek(self.position)
            text = self.rest + file.read()
            self.position = file.tell()
        lines = text.split("\n")
        self.rest = lines.pop()
        for line in lines:
            if " latency room=" not in line:
                continue
            fields = dict(re.findall(r"(\w+)=(\S+)", line))
            key = (fields.get("speaker"), fields.get("seq"), fields.get("lang"))
            if key in self.seen:
                continue
            self.seen.add(key)
            for stage in STAGES:
                if fields.get(stage, "-") != "-":
                    self.stages[stage].append(int(fields[stage]))

    def medians(self):
        return {stage: (round(median(values)) if values else None) for stage, values in self.stages.items()}

    def line(self):
        names = {"e2e_ms": "end to end", "stt_ms": "transcript", "mt_ms": "translation", "tts_ms": "synthesis", "egress_ms": "egress"}
        return "  ".join(f"{names[stage]} {'–' if value is None else value}" for stage, value in self.medians().items())
