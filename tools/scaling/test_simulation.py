"""What must hold whatever the figures are: laws of conservation, and that each setting moves what it is said to move. Run by ctest; standard library only."""
import sys
import unittest
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from model import Setup  # noqa: E402
from placement import instance_of, instances_spanned, make_rooms, murmur2, partition_of  # noqa: E402
from simulate import HERE, SETUPS, broker_lost, instance_lost, load_model, simulate  # noqa: E402

SMALL = ["participants_first=500", "participants_last=20000", "minutes=8"]


def model(*changes):
    return load_model(HERE / "figures.toml", HERE / "load.toml", [*SMALL, *changes])


def state(m, setup, count, participants=20000):
    rooms = make_rooms(participants, m.load["room_sizes"], m.load["seed"])
    return m.state(participants, rooms, setup, count)


class Placement(unittest.TestCase):
    def test_murmur2_is_kafkas(self):
        # The vectors of Kafka's own UtilsTest.
        for text, expected in ((b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536),
                               (b"a-little-bit-longer-string", -1486304829), (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
                               (b"abc", 479470107)):
            self.assertEqual(murmur2(text), expected & 0xFFFFFFFF)

    def test_rooms_hold_exactly_the_participants(self):
        rooms = make_rooms(12345, [[2, 0.5], [500, 0.5]], 3)
        self.assertEqual(sum(room.size for room in rooms), 12345)
        self.assertEqual(make_rooms(20000, [[2, 0.5], [500, 0.5]], 3)[:len(rooms) - 1], rooms[:-1])

    def test_every_room_of_a_partition_is_on_one_instance(self):
        rooms, owner = make_rooms(5000, [[3, 1.0]], 1), {}
        for room in rooms:
            self.assertEqual(owner.setdefault(partition_of(room.key_hash, 64), instance_of(room, "partition", 7, 64)), instance_of(room, "partition", 7, 64))
        self.assertEqual(set(owner.values()), set(range(7)))

    def test_a_room_spans_no_more_than_there_is(self):
        self.assertAlmostEqual(instances_spanned(1, 50), 1.0)
        self.assertLess(instances_spanned(10, 4), 4.0)
        self.assertLess(instances_spanned(10, 1000), 10.0)


class Conservation(unittest.TestCase):
    def test_what_instances_have_is_what_the_rooms_have(self):
        m = model()
        rooms = make_rooms(20000, m.load["room_sizes"], m.load["seed"])
        for setup in SETUPS.values():
            instances, by_partition, _ = m.place(rooms, setup, 12)
            loads = [m.load_of(room.size) for room in rooms]
            self.assertAlmostEqual(sum(i.participants for i in instances), 20000, delta=0.01, msg=setup.name)
            self.assertAlmostEqual(sum(i.chunks for i in instances) / sum(r.chunks for r in loads), 1.0, msg=setup.name)
            self.assertAlmostEqual(sum(i.deliveries for i in instances) / sum(r.deliveries for r in loads), 1.0, msg=setup.name)
            self.assertAlmostEqual(sum(b for _, b in by_partition.values()) / sum(r.record_bytes for r in loads), 1.0, msg=setup.name)

    def test_nobody_consumes_less_than_its_rooms(self):
        m = model()
        for setup in SETUPS.values():
            for instance in state(m, setup, 12).instances:
                self.assertGreaterEqual(instance.consumed_bytes, instance.hosted_bytes * 0.999999, setup.name)
                self.assertGreaterEqual(instance.consumed_records, instance.hosted_records * 0.999999, setup.name)

    def test_naive_consumption_is_instances_times_everything(self):
        m = model()
        for count in (2, 5, 20):
            s = state(m, SETUPS["room"], count)
            self.assertAlmostEqual(sum(i.consumed_bytes for i in s.instances) / (count * s.kafka_synth_bytes), 1.0)

    def test_kafka_sends_what_is_consumed_and_once_what_workers_read(self):
        m = model()
        for setup in SETUPS.values():
            s = state(m, setup, 12)
            self.assertAlmostEqual(s.kafka_out_bytes, sum(i.consumed_bytes for i in s.instances) + s.kafka_in_bytes - s.kafka_synth_bytes, delta=1.0)

    def test_brokers_carry_every_copy(self):
        m = model()
        setup = replace(SETUPS["room"], brokers=5)
        s = state(m, setup, 6)
        copies = m.load["replication"]
        expected = s.kafka_in_bytes * (2 * copies - 1) + s.kafka_out_bytes
        self.assertAlmostEqual(sum(s.broker_bytes) / expected, 1.0)


class Settings(unittest.TestCase):
    def consumed(self, m, name, count=12, **changes):
        return sum(i.consumed_bytes for i in state(m, replace(SETUPS[name], **changes), count).instances)

    def test_partition_awareness_helps_where_rooms_are_kept_together(self):
        m = model()
        self.assertLess(self.consumed(m, "room+aware"), 0.5 * self.consumed(m, "room"))
        self.assertAlmostEqual(self.consumed(m, "spread", partition_aware=True), self.consumed(m, "spread"))

    def test_few_partitions_make_it_useless_unless_the_balancer_knows_them(self):
        m = model()
        self.assertGreater(self.consumed(m, "room+aware", partitions=16), 0.95 * self.consumed(m, "room", partitions=16))
        self.assertLess(self.consumed(m, "partition+aware", partitions=64), 0.3 * self.consumed(m, "room", partitions=64))

    def test_cells_bound_what_an_instance_reads(self):
        m = model()
        whole = state(m, SETUPS["room"], 32).hottest(lambda i: i.consumed_bytes)
        self.assertLess(state(m, SETUPS["cells"], 32).hottest(lambda i: i.consumed_bytes), 0.5 * whole)

    def test_binary_is_smaller_than_json(self):
        json, binary = (state(model(f'raw_format="{form}"'), SETUPS["room"], 4).kafka_in_bytes for form in ("json", "binary"))
        self.assertLess(binary, json)

    def test_lookups_of_leases_grow_with_the_square_where_rooms_spread(self):
        m = model()
        few, many = (state(m, SETUPS["spread"], count).redis_commands for count in (10, 200))
        self.assertGreater(many - few, 190 * 190)


class Hour(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = model()
        cls.results = {name: simulate(cls.model, setup) for name, setup in SETUPS.items()}

    def test_it_grows_to_the_end_or_says_what_broke(self):
        for name, result in self.results.items():
            last = result["rows"][-1]
            self.assertTrue(last["participants"] == 20000 or result["breaks"], name)
            counts = [row["instances"] for row in result["rows"]]
            self.assertEqual(counts, sorted(counts), name)

    def test_no_share_is_beyond_its_limit_without_being_told(self):
        for name, result in self.results.items():
            over = {resource for row in result["rows"] for resource, share in row["shares"].items() if share > 1.0}
            self.assertEqual(over, set(result["breaks"]), name)

    def test_dearer_frames_need_more_instances(self):
        dear = model()
        dear.figures = {name: dict(figure) for name, figure in dear.figures.items()}
        dear.figures["loop_us_per_delivery"]["value"] *= 4
        self.assertGreater(simulate(dear, SETUPS["cells"])["rows"][-1]["instances"], self.results["cells"]["rows"][-1]["instances"])

    def test_losses_are_told(self):
        m = self.model
        s = state(m, SETUPS["room+aware"], 8)
        lost = instance_lost(m, s)
        self.assertGreater(lost["loop_cores_while_reconnecting"], max(m.loop_cores(i) for i in s.instances))
        self.assertAlmostEqual(lost["participants_reconnecting"], max(i.participants for i in s.instances), delta=1)
        self.assertGreater(broker_lost(m, s, Setup("x", brokers=3))["broker_share_afterwards"], 0)

    def test_every_figure_says_where_it_is_from(self):
        for name, figure in self.model.figures.items():
            self.assertGreater(len(figure["source"]), 10, name)
            self.assertGreater(figure["value"], 0, name)


if __name__ == "__main__":
    unittest.main()
