"""Every transcript of every handout is what its command prints now, where this machine is of the kind that it was recorded on."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import chapters  # noqa: E402
import host  # noqa: E402
import transcripts  # noqa: E402


def setUpModule():
    global HOST
    HOST = host.Played()
    HOST.__enter__()


def tearDownModule():
    HOST.__exit__()


class Rules(unittest.TestCase):
    def test_what_varies_is_normalised_and_nothing_else(self):
        same = [("uts 4026531838", "uts 4026532199"), ("pid 7", "pid 12345"), ("1.2 ms", "13 us"), ("about 1028 pages", "about 9 pages"),
                ("Linux 6.18.44-x", "Linux 6.1.0-12-amd64"), ("a   b", "a b")]
        for one, other in same:
            self.assertEqual(transcripts.normalised(one), transcripts.normalised(other))
        for one, other in [("exit status 7", "exit status 8"), ("4096", "4086"), ("10.0.0.1", "10.0.0.2"), ("a", "a\n"[:1] + "\nb"), ("ok", "WRONG")]:
            self.assertNotEqual(transcripts.normalised(one), transcripts.normalised(other))

    def test_a_changed_transcript_is_seen(self):
        page = "```console\n$ echo one; echo two\none\ntwo\n```\n"
        (transcript,) = transcripts.parse(page)
        if transcripts.why_not_here(transcript):
            self.skipTest(transcripts.why_not_here(transcript))
        self.assertEqual(transcripts.recorded(page), page)
        self.assertEqual(transcripts.recorded(page.replace("echo two", "echo three")), page.replace("two", "three"))


class Transcripts(unittest.TestCase):
    maxDiff = None

    def compare(self, transcript):
        reason = transcripts.why_not_here(transcript)
        if reason:
            self.skipTest(reason)
        for command in transcript.commands:
            with self.subTest(command=command.line):
                now = transcripts.run(command.line, transcript.words, HOST.programs)
                self.assertEqual(transcripts.normalised(command.output), transcripts.normalised(now))
        self.assertEqual(HOST.leftovers(), [])


for page in sorted((chapters.ROOT / "chapters").glob("*/README.md")):
    for number, found in enumerate(transcripts.parse(page.read_text(encoding="utf-8")), 1):
        setattr(Transcripts, f"test_{page.parent.name}_{number:02}", lambda self, found=found: self.compare(found))


if __name__ == "__main__":
    unittest.main()
