"""What a load costs on given instances, partitions and brokers. All rates are per second, sizes in bytes, CPU in seconds per second (cores)."""
import math
from dataclasses import dataclass, field

from placement import Room, instance_of, instances_spanned, partition_of

SAMPLED_RECORDS_PER_S = 8 * 8 / 3  # what partition_aware reads of the partitions it leaves out: 8 of them every 3 s, 8 records each (core/kafka/partition_sampler)


@dataclass
class Setup:
    """One way to run it. `cell` > 0: instances in groups of that many, each with topics and a Redis of its own (kafka.topic.*, redis.url)."""
    name: str
    routing: str = "spread"        # spread, room, partition
    partition_aware: bool = False
    cell: int = 0
    partitions: int = 1024         # of each topic, in each cell; chosen once, since rooms move when it changes
    brokers: int = 3
    brokers_grow: bool = True      # more are added as they are needed


@dataclass
class Instance:
    participants: float = 0.0
    rooms: float = 0.0
    chunks: float = 0.0            # in
    deliveries: float = 0.0        # synthesized frames out, one per listener
    hosted_records: float = 0.0    # synthesized frames and captions of its rooms
    hosted_bytes: float = 0.0
    captions: float = 0.0          # caption messages out, one per subscriber
    consumed_records: float = 0.0
    consumed_bytes: float = 0.0
    partitions: set = field(default_factory=set)  # in which its rooms' keys live, as (cell, partition)
    fetched_partitions: float = 0.0               # of one topic

    def add(self, room_load: "RoomLoad", share: float, hosting: float) -> None:
        """`share` of the room's participants are here; `hosting`: how likely the room is here at all."""
        self.participants += share * room_load.size
        self.rooms += hosting
        self.chunks += share * room_load.chunks
        self.deliveries += share * room_load.deliveries
        self.captions += share * room_load.caption_deliveries
        self.hosted_records += hosting * room_load.records
        self.hosted_bytes += hosting * room_load.record_bytes


@dataclass
class RoomLoad:
    """What one room of a size asks for."""
    size: int
    chunks: float
    chunk_bytes: float             # to audio.raw, all of the room
    records: float                 # from Kafka: frames of every synthesized language, captions
    record_bytes: float
    deliveries: float
    caption_deliveries: float


def record_bytes(audio: float, form: str, fig, kind: str) -> float:
    """On the wire: the value, and what headers, batches and requests add."""
    return (audio * 4 / 3 if form == "json" else audio) + fig(f"{kind}_{form}_overhead_bytes")


def room_load(size: int, load: dict, fig) -> RoomLoad:
    languages = next(count for most, count in load["languages_by_room_size"] if size <= most)
    languages = min(languages, size)
    per_s = 1000.0 / load["chunk_ms"]
    audio = load["chunk_ms"] * 32                       # s16le, 16 kHz
    senders = max(1.0, size * load["open_microphones"])
    spoken = audio / load["opus_ratio"] if load["pipeline_encoding"] == "opus" else audio
    raw_bytes = record_bytes(spoken, load["raw_format"], fig, "chunk")
    frames = load["talking"] * (languages - 1) * per_s  # one stream per other language while somebody talks
    hearers = size * (languages - 1) / languages        # who does not listen in the speaker's language
    captions = load["talking"] * languages * load["captions_per_s"]
    frame_bytes = record_bytes(audio, load["frame_format"], fig, "frame")
    return RoomLoad(size, senders * per_s, senders * per_s * raw_bytes, frames + captions, frames * frame_bytes + captions * load["caption_bytes"],
                    load["talking"] * hearers * per_s, captions * size)


@dataclass
class State:
    """One minute: what each part carries."""
    participants: int
    rooms: int
    instances: list
    kafka_in_bytes: float          # produced, before replication
    kafka_in_records: float
    kafka_synth_bytes: float       # of that, what instances read
    kafka_out_bytes: float         # read by instances and, once, by workers
    broker_bytes: list             # in and out of each broker, replication included
    partition_bytes_max: float     # produced into the fullest partition of a topic
    redis_commands: float          # of the fullest Redis
    redis_messages: float          # pub/sub messages that it sends
    redis_cores: float
    span_mean: float               # instances per room

    def hottest(self, value) -> float:
        return max(value(instance) for instance in self.instances)


class Model:
    def __init__(self, figures: dict, load: dict):
        self.figures, self.load = figures, load
        self._loads = {}

    def fig(self, name: str) -> float:
        return self.figures[name]["value"]

    def load_of(self, size: int) -> RoomLoad:
        if size not in self._loads:
            self._loads[size] = room_load(size, self.load, self.fig)
        return self._loads[size]

    # --- placing ---
    def place(self, rooms: list[Room], setup: Setup, count: int) -> tuple[list[Instance], dict, float]:
        """Instances with their load; bytes from Kafka per (cell, partition); instances per room."""
        instances = [Instance() for _ in range(count)]
        cells = self.cells(setup, count)
        by_partition: dict = {}
        raw_by_partition: dict = {}
        span = 0.0
        by_size = [{} for _ in cells]
        for room in rooms:
            load = self.load_of(room.size)
            cell = room.route_hash * len(cells) >> 32
            members = cells[cell]
            key = (cell, partition_of(room.key_hash, setup.partitions))
            records, size = by_partition.get(key, (0.0, 0.0))
            by_partition[key] = (records + load.records, size + load.record_bytes)
            raw_by_partition[key] = raw_by_partition.get(key, 0.0) + load.chunk_bytes
            if setup.routing == "spread":
                by_size[cell][room.size] = by_size[cell].get(room.size, 0) + 1
                span += instances_spanned(room.size, len(members))
                continue
            local = Room(room.size, room.key_hash, room.route_hash * len(cells) & 0xFFFFFFFF)  # what is left of the hash after the cell
            instance = instances[members[instance_of(local, setup.routing, len(members), setup.partitions)]]
            instance.add(load, 1.0, 1.0)
            instance.partitions.add(key)
            span += 1.0
        for cell, sizes in enumerate(by_size):
            for size, number in sizes.items():
                hosting = instances_spanned(size, len(cells[cell])) / len(cells[cell])
                for index in cells[cell]:
                    scaled = RoomLoad(*[value * number for value in vars(self.load_of(size)).values()])
                    instances[index].add(scaled, 1.0 / len(cells[cell]), hosting)
                    instances[index].rooms += hosting * (number - 1)
        self.consume(instances, cells, by_partition, setup)
        self.raw_by_partition = raw_by_partition
        return instances, by_partition, span / max(1, len(rooms))

    @staticmethod
    def cells(setup: Setup, count: int) -> list[range]:
        if setup.cell <= 0:
            return [range(count)]
        number = max(1, math.ceil(count / setup.cell))
        return [range(i * count // number, (i + 1) * count // number) for i in range(number)]

    @staticmethod
    def consume(instances, cells, by_partition, setup: Setup) -> None:
        for cell, members in enumerate(cells):
            totals = [v for (c, _), v in by_partition.items() if c == cell]
            all_records, all_bytes = sum(r for r, _ in totals), sum(b for _, b in totals)
            for index in members:
                instance = instances[index]
                records, size, instance.fetched_partitions = all_records, all_bytes, setup.partitions
                if setup.partition_aware and setup.routing != "spread":  # spread: rooms of every partition are everywhere
                    own = [by_partition[key] for key in instance.partitions]
                    records, size = sum(r for r, _ in own), sum(b for _, b in own)
                    left = all_records - records
                    looked_at = min(1.0, SAMPLED_RECORDS_PER_S / left) if left > 0 else 0.0
                    records, size = records + looked_at * left, size + looked_at * (all_bytes - size)
                    instance.fetched_partitions = len(own)
                instance.consumed_records, instance.consumed_bytes = records, size

    # --- costs of an instance ---
    def loop_cores(self, i: Instance) -> float:
        """The one thread that owns rooms and sockets."""
        f, sockets = self.fig, i.participants * self.load["sockets_per_participant"]
        return (i.deliveries * f("loop_us_per_delivery") + i.hosted_records * f("loop_us_per_record") + i.captions * f("loop_us_per_delivery") +
                i.chunks * f("loop_us_per_chunk") + sockets * f("loop_us_per_idle_socket") +
                sockets * self.join_rate() * self.opening_us()) / 1e6

    def opening_us(self) -> float:
        return self.fig("loop_us_per_socket_opened") + (self.fig("tls_us_per_handshake") if self.load["tls"] else 0.0)

    def kafka_cores(self, i: Instance) -> float:
        """All its other threads: librdkafka's, the consumer's, acknowledgements."""
        f, form = self.fig, self.load["frame_format"]
        foreign = max(0.0, i.consumed_records - i.hosted_records)
        return (i.hosted_records * f(f"kafka_us_per_{form}_record") + foreign * f(f"kafka_us_per_foreign_{form}_record") +
                i.chunks * f(f"kafka_us_per_{self.load['raw_format']}_chunk")) / 1e6

    def network_bytes(self, i: Instance) -> float:
        """The larger direction: to clients and Kafka, or from Kafka and clients."""
        audio = self.load["chunk_ms"] * 32 + self.fig("client_overhead_bytes")
        chunk = self.load_of(2).chunk_bytes / self.load_of(2).chunks
        out = i.deliveries * audio + i.captions * self.load["caption_bytes"] + i.chunks * chunk
        # Three topics are read. librdkafka names every partition in every request, and every answer has a line for each.
        named = i.fetched_partitions * 3 * self.fig("fetches_per_s_and_broker")
        return max(out + named * self.fig("fetch_request_bytes_per_partition"),
                   i.consumed_bytes + i.chunks * audio + named * self.fig("fetch_answer_bytes_per_partition"))

    def memory_bytes(self, i: Instance) -> float:
        f = self.fig
        sockets = i.participants * self.load["sockets_per_participant"]
        per_socket = f("socket_bytes") + (f("tls_bytes") if self.load["tls"] else 0)
        return f("empty_bytes") + sockets * per_socket + i.rooms * f("room_bytes") + self.load["kafka_buffer_bytes"]

    def join_rate(self) -> float:
        """Joins and reconnects per second and participant."""
        return 1.0 / self.load["stay_s"] + self.load["reconnects_per_hour"] / 3600.0

    # --- the whole ---
    def state(self, participants: int, rooms: list[Room], setup: Setup, count: int) -> State:
        instances, by_partition, span = self.place(rooms, setup, count)
        raw = sum(self.raw_by_partition.values())
        synthesized = sum(b for _, b in by_partition.values())
        consumed = sum(i.consumed_bytes for i in instances)
        records = sum(r for r, _ in by_partition.values()) + sum(i.chunks for i in instances)
        commands, messages, cores = self.redis(instances, self.cells(setup, count), setup, span)
        self.by_partition, self.readers = by_partition, consumed / synthesized if synthesized else 0.0
        fullest = max(max(b for _, b in by_partition.values()), max(self.raw_by_partition.values()))
        return State(participants, len(rooms), instances, raw + synthesized, records, synthesized, consumed + raw, self.broker_bytes(setup), fullest,
                     commands, messages, cores, span)

    def broker_bytes(self, setup: Setup) -> list[float]:
        """In and out of each broker, for what was placed last: partitions' leaders in turn, copies on the next brokers."""
        brokers, copies = [0.0] * setup.brokers, min(setup.brokers, self.load["replication"])
        for (cell, partition), (_, size) in self.by_partition.items():
            leader, raw = (cell * 7 + partition) % setup.brokers, self.raw_by_partition[(cell, partition)]
            # In; out to the followers; to the instances that read; audio.raw once, to the workers.
            brokers[leader] += (size + raw) * copies + size * self.readers + raw
            for follower in range(1, copies):
                brokers[(leader + follower) % setup.brokers] += size + raw
        return brokers

    def redis(self, instances, cells, setup: Setup, span: float) -> tuple[float, float, float]:
        """Of the fullest Redis: commands, messages sent to subscribers, cores."""
        f, load = self.fig, self.load
        worst = (0.0, 0.0, 0.0)
        for members in cells:
            here = [instances[i] for i in members]
            people = sum(i.participants for i in here)
            joins = people * self.join_rate()
            seats = joins * (load["seat_changes_per_join"] + 1)              # and one that it leaves
            opened = joins * min(1.0, span * 2.0 / load["mean_room_size"])   # rooms that an instance begins to host
            speakers = sum(i.chunks for i in here) * load["chunk_ms"] / 1000.0
            peers = (len(here) - 1) if setup.routing == "spread" else 0      # instances that share a room with one
            signals = joins * load["signals_per_join"] if setup.routing == "spread" else 0.0
            looks, leases = len(here) * peers, len(here) * 0.5
            commands = seats + opened * 3 + speakers + looks + leases + signals
            messages = (seats + opened) * span + signals * span
            cores = (seats * f("redis_us_per_seat") + opened * f("redis_us_per_room_opened") + (looks + leases) * f("redis_us_per_look") +
                     speakers * f("redis_us_per_checkpoint") + signals * f("redis_us_per_publish") + messages * f("redis_us_per_message")) / 1e6
            worst = max(worst, (commands, messages, cores), key=lambda w: w[2])
        return worst
