"""What the terminal shows while the demo runs: one screen, drawn anew, or lines where the output is no terminal."""

import shutil
import sys


def clipped(text, width):
    return text if len(text) <= width else "…" + text[-(width - 1):]


class LiveView:
    def __init__(self, speaker, listeners, latency):
        self.speaker, self.listeners, self.latency = speaker, listeners, latency
        self.screen = sys.stdout.isatty()
        self.shown = {}

    def draw(self):
        if self.screen:
            self.draw_screen()
        else:
            self.print_changes()

    def draw_screen(self):
        width = shutil.get_terminal_size((100, 30)).columns
        speaker = self.speaker
        done = speaker.sent_s / speaker.total_s if speaker.total_s else 0
        bar = "█" * int(done * 30)
        lines = [
            "fluentgate demo: one speaker, three listeners, each in their own language",
            "",
            f"  {speaker.name} speaks English  {bar:<30} {speaker.sent_s:5.1f} / {speaker.total_s:.1f} s   {speaker.speaking}",
            f"  listeners by language: {speaker.demand}",
            f"  en  {clipped(self.listeners[0].original, width - 8)}",
            "",
        ]
        for listener in self.listeners:
            state = "original suppressed" if listener.suppressed.get(speaker.user) else "hears the original"
            last = f"{listener.first_ms[-1]} ms" if listener.first_ms else "–"
            lines.append(f"  {listener.name:<8} {listener.language}   {state:<20} heard {listener.heard_s:5.1f} s   last phrase → first sound {last}")
            lines.append(f"      {clipped(listener.interim, width - 8)}")
        lines += ["", "  stages, median ms: " + self.latency.line()]
        sys.stdout.write("\x1b[H\x1b[2J" + "\n".join(line[:width * 2] for line in lines) + "\n")
        sys.stdout.flush()

    def print_changes(self):
        self.changed("en", self.listeners[0].original, final=True)
        for listener in self.listeners:
            if self.changed(listener.language, listener.captions[-1] if listener.captions else "", final=True) and listener.first_ms:
                print(f"       {listener.name} hears it {listener.first_ms[-1]} ms after the phrase's end", flush=True)
            self.changed(listener.user, "original suppressed" if listener.suppressed.get(self.speaker.user) else "", final=True)

    def changed(self, key, text, final):
        if not text or self.shown.get(key) == text:
            return False
        self.shown[key] = text
        print(f"  {self.speaker.sent_s:5.1f} s  {key:<8} {text}", flush=True)
        return final
