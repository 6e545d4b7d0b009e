"""Corpora of videos: every layout is read as its owners publish it; whatever is wrong with a tree is said in words."""

import io
import json
import pickle
import re
import shutil
import tarfile
from pathlib import Path

import pytest

from instructavatar import config
from instructavatar.errors import BadMedia, BadOption, CannotWrite, MissingFile
from instructavatar.face.emotions import PROTOTYPES
from instructavatar.media.audio import read_audio
from instructavatar.media.video import read_video
from instructavatar.prepare.corpora import mead as mead_module
from instructavatar.prepare.corpora.base import ClipRecord
from instructavatar.prepare.corpora.casual_conversations import CasualConversations, instruction_of
from instructavatar.prepare.corpora.crema_d import CremaD
from instructavatar.prepare.corpora.folder import Folder
from instructavatar.prepare.corpora.hdtf import HDTF, speaker_of
from instructavatar.prepare.corpora.mead import Mead
from instructavatar.prepare.corpora.talking_head_1kh import TalkingHead1KH
from instructavatar.prepare.corpora.video import VIDEO_SUFFIXES, emotion_of, files_below, plain, safe_id
from instructavatar.prepare.mixture import Mixture
from instructavatar.prepare.splits import SpeakerSplits

CONFIGS = Path(__file__).parents[2] / "configs" / "corpora"
CLASSES = {corpus.name: corpus for corpus in (Mead, HDTF, CasualConversations, TalkingHead1KH, Folder, CremaD)}
TEST_PERSONS = ("M003", "M007", "M019", "W018", "W038")


def by_id(corpus):
    return {record.id: record for record in corpus.records()}


def touch(root, *names):
    """Files that are no videos but lie where videos do: enough where nothing is decoded."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 2000)


@pytest.fixture
def mead_tree(tmp_path):
    touch(
        tmp_path,
        "M003/video/front/happy/level_3/002.mp4",
        "M003/audio/happy/level_3/002.m4a",
        "W009/video/front/neutral/level_1/001.mp4",
        "W009/video/left_30/neutral/level_1/001.mp4",
    )
    return tmp_path


# --- what all share -----------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def forest(trees, clips, tmp_path_factory):
    """Every tree, with the ids it must give."""
    roots = {name: tmp_path_factory.mktemp(name) for name in trees.BUILDERS}
    return {name: (roots[name], build(roots[name], clips)) for name, build in trees.BUILDERS.items()}


@pytest.mark.parametrize("name", CLASSES)
def test_configurations_build_and_find_their_tree(forest, name):
    root, ids = forest[name]
    loaded = config.load(CONFIGS / f"{name}.yaml", [f"corpus.params.root={root}"])
    corpus = config.build(loaded.corpus, progress=None)
    assert isinstance(corpus, CLASSES[name])
    assert [record.id for record in corpus.records()] == ids
    assert f"prepare --base configs/corpora/{name}.yaml" in (CONFIGS / f"{name}.yaml").read_text()
    for record in corpus.records():
        video = read_video(corpus.video_path(record))
        assert (video.width, video.height, video.has_audio) == (256, 256, True)
        assert record.seconds == 0.0
        assert ClipRecord.from_json(record.to_json()) == record
        assert (record.emotion or "neutral") in PROTOTYPES
        assert all(text.strip() for text in corpus.write(record, {}))


def test_measure_sections_build(forest):
    for name in CLASSES:
        measurer = config.build(config.load(CONFIGS / f"{name}.yaml").measure)
        assert callable(measurer.measure)
        assert measurer.frames == (name == "talking_head_1kh")


@pytest.mark.parametrize("name", CLASSES)
def test_hash_follows_content_and_not_the_place(forest, tmp_path, name):
    root, _ = forest[name]
    moved = shutil.copytree(root, tmp_path / "moved")
    corpus = CLASSES[name](moved)
    before = corpus.content_hash()
    assert before == CLASSES[name](root).content_hash() == corpus.content_hash()
    assert len(before) == 64
    video = corpus.video_path(next(corpus.records()))
    video.write_bytes(video.read_bytes() + b"more")
    assert CLASSES[name](moved).content_hash() != before


def test_hash_follows_the_settings(mead_tree):
    hashes = [
        Mead(mead_tree, **given).content_hash()
        for given in (
            {},
            {"splits": SpeakerSplits(valid=1.0)},
            {"instructions": Mixture()},
            {"instructions": Mixture(seed=1)},
            {"instructions": Mixture(emotion=1.0)},
            {"views": ["front", "left_30"]},
        )
    ]
    assert len(set(hashes)) == len(hashes)
    assert Mead(mead_tree, instructions=Mixture()).content_hash() == hashes[2]


@pytest.mark.parametrize("name", CLASSES)
def test_a_wrong_tree_is_told_with_a_drawing(tmp_path, name):
    (tmp_path / "notes.txt").write_text("nothing here")
    if name == "casual_conversations":
        (tmp_path / "video2instruction.json").write_text("{}")
    with pytest.raises(MissingFile) as told:
        list(CLASSES[name](tmp_path).records())
    first, *rest = str(told.value).splitlines()
    assert first == f"expected the layout of {name} below '{tmp_path}', found no clip of it:"
    assert CLASSES[name].tree in str(told.value)
    assert "notes.txt" in rest[-1]


def test_a_missing_root_and_an_empty_one(tmp_path):
    with pytest.raises(MissingFile, match="expected the folder of the corpus hdtf at .*nowhere.*--root"):
        HDTF(tmp_path / "nowhere")
    with pytest.raises(MissingFile, match="found: nothing"):
        list(HDTF(tmp_path).records())
    with pytest.raises(MissingFile, match="2024"):
        HDTF(2024)


def test_two_files_of_one_name_are_both_named(tmp_path):
    touch(tmp_path, "a/WDA_X_000.mp4", "b/WDA_X_000.mp4")
    with pytest.raises(BadMedia, match="'a/WDA_X_000.mp4' and 'b/WDA_X_000.mp4'"):
        list(HDTF(tmp_path).records())


def test_order_is_by_id_and_hidden_files_are_none(tmp_path):
    touch(tmp_path, "z/A_1.mp4", "a/B_1.MP4", ".hidden/C_1.mp4", "a/._B_1.mp4", "__MACOSX/D_1.mp4", "a/notes.txt")
    assert [record.id for record in HDTF(tmp_path).records()] == ["A_1", "B_1"]


def test_links_are_followed_once(tmp_path):
    touch(tmp_path, "real/A_1.mp4")
    root = tmp_path / "root"
    root.mkdir()
    (root / "linked").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "round").symlink_to(root)
    assert list(files_below(root)) == ["linked/A_1.mp4"]


def test_a_file_that_went_away_is_named(tmp_path):
    touch(tmp_path, "A_1.mp4")
    corpus = HDTF(tmp_path)
    record = next(corpus.records())
    (tmp_path / "A_1.mp4").unlink()
    with pytest.raises(MissingFile, match="A_1.mp4"):
        corpus.video_path(record)


def test_a_broken_link_is_named(tmp_path):
    touch(tmp_path, "A_1.mp4")
    (tmp_path / "B_1.mp4").symlink_to(tmp_path / "nowhere.mp4")
    with pytest.raises(MissingFile, match="B_1.mp4"):
        HDTF(tmp_path).content_hash()


def test_workers_get_a_corpus_without_its_list(mead_tree):
    corpus = Mead(mead_tree)
    records = list(corpus.records())
    fresh = pickle.loads(pickle.dumps(corpus))
    assert fresh._scanned is None
    assert fresh.video_path(records[0]) == corpus.video_path(records[0])
    assert list(fresh.records()) == records


def test_ids_are_safe():
    assert safe_id("a b/c:d*é") == "a_b--c_d_é"
    long = "x" * 500
    assert len(safe_id(long).encode()) <= 200
    assert safe_id(long) != safe_id(long + "y")
    assert len(safe_id("é" * 300).encode()) <= 200


@pytest.mark.parametrize(
    ("word", "name"), [("Anger", "angry"), ("surprise", "surprised"), ("disgust", "disgusted"), ("In Love", "in_love"), ("", "")]
)
def test_emotions_by_other_names(word, name):
    assert emotion_of(word) == name


def test_an_unknown_emotion_gets_the_nearest():
    with pytest.raises(BadOption, match="got 'hapy'; did you mean 'happy'"):
        emotion_of("hapy")


def test_plain_settings_are_the_same_in_every_process():
    json.dumps(plain(Mixture()))
    assert plain(Mixture()) == plain(Mixture())
    assert "0x" not in str(plain(Mixture()))
    assert plain(SpeakerSplits()) == {"class": "SpeakerSplits", "seed": 0, "test": 0.0, "test_speakers": [], "valid": 0.05}


def test_own_instructions_come_before_written_ones(mead_tree):
    corpus = Mead(mead_tree, instructions=Mixture(wordings=3))
    record = by_id(corpus)["W009_neutral_level_1_001"]
    assert len(corpus.write(record, {})) == 3
    assert corpus.write(ClipRecord("a", instructions=("smile",)), {}) == ("smile",)
    assert Mead(mead_tree).write(record, {"lip_corner_puller": 1.0}) == ()


def test_a_relative_root_holds_from_elsewhere(mead_tree, tmp_path, monkeypatch):
    monkeypatch.chdir(mead_tree.parent)
    corpus = Mead(mead_tree.name)
    record = next(corpus.records())
    monkeypatch.chdir("/")
    assert corpus.video_path(record).is_file()
    assert corpus.unpack_to == mead_tree.with_name(mead_tree.name + ".unpacked")


def test_docs_name_what_exists():
    root = CONFIGS.parents[1]
    datasets, seed = ((root / "docs" / name).read_text() for name in ("datasets.md", "seed.md"))
    named = set(re.findall(r"(?:configs/(?:corpora|features|motion)|instructavatar/[\w/]+)/[\w./]*", datasets + seed))
    assert {path for path in named if not (root / path).exists()} <= {"configs/corpora/NAME.yaml"}
    for name in CLASSES:
        assert f"prepare --base configs/corpora/{name}.yaml --root" in datasets
        assert f"| [`{name}`](#" in datasets


# --- MEAD ---------------------------------------------------------------------------------------------------------------------------------


def test_mead_names_emotion_level_and_sound(mead_tree):
    records = by_id(Mead(mead_tree))
    happy, neutral = records["M003_happy_level_3_002"], records["W009_neutral_level_1_001"]
    assert (happy.speaker, happy.emotion, happy.intensity, happy.audio) == ("M003", "happy", 3, "M003/audio/happy/level_3/002.m4a")
    assert (neutral.emotion, neutral.intensity, neutral.audio) == ("neutral", 0, "")
    assert len(records) == 2


def test_mead_views_stay_apart(mead_tree):
    assert set(by_id(Mead(mead_tree, views=["front", "left_30"]))) == {
        "M003_happy_level_3_002",
        "W009_neutral_level_1_001",
        "W009_neutral_level_1_001_left_30",
    }
    with pytest.raises(BadOption, match="got 'left'; did you mean 'left_"):
        Mead(mead_tree, views=["left"])
    with pytest.raises(BadOption, match="list of views"):
        Mead(mead_tree, views="front")


def test_mead_config_holds_out_the_published_persons(tmp_path):
    people = [*TEST_PERSONS, "M005", "M037", "W009"]
    touch(tmp_path, *(f"{person}/video/front/sad/level_1/004.mp4" for person in people))
    loaded = config.load(CONFIGS / "mead.yaml", [f"corpus.params.root={tmp_path}"])
    splits = {record.speaker: record.split for record in config.build(loaded.corpus).records()}
    assert {person for person, split in splits.items() if split == "test"} == set(TEST_PERSONS)
    assert (splits["M037"], splits["M005"], splits["W009"]) == ("valid", "train", "train")


def test_mead_holds_out_clips(mead_tree):
    train = SpeakerSplits(valid=0.0)
    code = Mead(mead_tree, test_clips={"*": [1]}, splits=train)
    assert {record.id: record.split for record in code.records()} == {"M003_happy_level_3_002": "train", "W009_neutral_level_1_001": "test"}
    owners = Mead(mead_tree, test_clips={"neutral": range(31, 41), "*": [2]}, splits=train)
    assert {record.id: record.split for record in owners.records()} == {
        "M003_happy_level_3_002": "test",
        "W009_neutral_level_1_001": "train",
    }
    with pytest.raises(BadOption, match="got 'hapy'; did you mean 'happy'"):
        Mead(mead_tree, test_clips={"hapy": [1]})


def test_mead_names_what_it_leaves_out(mead_tree):
    touch(mead_tree, "M003/video/front/happy/002.mp4", "M003/video/front/joyous/level_1/001.mp4", "M003/video/above/sad/level_1/001.mp4")
    corpus = Mead(mead_tree)
    assert len(list(corpus.records())) == 2
    assert set(corpus.left_out()) == {
        "M003/video/front/happy/002.mp4",
        "M003/video/front/joyous/level_1/001.mp4",
        "M003/video/above/sad/level_1/001.mp4",
    }


def test_mead_reads_tars_as_they_come(trees, clips, tmp_path):
    ids = trees.build_mead(tmp_path / "plain", clips)
    assert trees.build_mead(tmp_path / "tars", clips, tar=True) == ids
    unpacked, tars = by_id(Mead(tmp_path / "plain")), Mead(tmp_path / "tars")
    assert not list((tmp_path / "tars").rglob("*.mp4"))
    assert list(by_id(tars)) == ids
    assert not (tmp_path / "tars.unpacked").exists(), "nothing is unpacked before it is asked for"
    for record in tars.records():
        other = unpacked[record.id]
        video = tars.video_path(record)
        assert video.read_bytes() == (tmp_path / "plain" / other.video).read_bytes()
        assert video.is_relative_to(tmp_path / "tars.unpacked")
        assert len(read_audio(tars.sound_path(record))) == pytest.approx(36 * 640, abs=1100)
        assert (record.split, record.emotion, record.intensity) == (other.split, other.emotion, other.intensity)
        assert tars.size(record.video) == (tmp_path / "plain" / other.video).stat().st_size


def test_mead_unpacks_once_and_where_it_is_told(trees, clips, tmp_path, monkeypatch):
    trees.build_mead(tmp_path / "tars", clips, tar=True)
    corpus = Mead(tmp_path / "tars", unpack_to=tmp_path / "there")
    record = next(corpus.records())
    video = corpus.video_path(record)
    assert video.is_relative_to(tmp_path / "there")
    monkeypatch.setattr(mead_module, "_unpack", lambda *_: pytest.fail("unpacked again"))
    assert corpus.video_path(record) == video


def _tar(path, *names):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 3000
            archive.addfile(member, io.BytesIO(b"y" * 3000))


@pytest.mark.parametrize("name", ["../../evil.mp4", "/etc/front/sad/level_1/001.mp4", "video/front/../../../sad/level_1/001.mp4"])
def test_mead_tar_cannot_reach_outside(tmp_path, name):
    _tar(tmp_path / "M003" / "video.tar", "front/sad/level_1/002.mp4", name)
    with pytest.raises(BadMedia, match="stay in their folder"):
        list(Mead(tmp_path).records())


def test_mead_tar_without_its_own_folder(tmp_path):
    """Some copies hold front/..., others video/front/...; links and folders in a tar are no clips."""
    _tar(tmp_path / "M003" / "video.tar", "./front/sad/level_1/002.mp4")
    with tarfile.open(tmp_path / "M003" / "video.tar", "a") as archive:
        link = tarfile.TarInfo("front/sad/level_1/003.mp4")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert list(by_id(Mead(tmp_path))) == ["M003_sad_level_1_002"]


def test_mead_damaged_tars_are_named(tmp_path):
    tar = tmp_path / "M003" / "video.tar"
    _tar(tar, "front/sad/level_1/002.mp4", "front/sad/level_1/003.mp4")
    whole = tar.read_bytes()
    for data in (whole[:5000], whole[:3800], whole[: 512 + 3072], b"no tar at all" * 99, b"\x1f\x8b" + whole[2:]):
        tar.write_bytes(data)
        with pytest.raises(BadMedia, match="got one that (cannot be read|breaks off after).*video.tar.*fetch it again"):
            list(Mead(tmp_path).records())


def test_mead_says_where_it_could_not_unpack(trees, clips, tmp_path):
    trees.build_mead(tmp_path / "tars", clips, tar=True)
    (tmp_path / "full").write_text("a file where a folder should be")
    corpus = Mead(tmp_path / "tars", unpack_to=tmp_path / "full")
    with pytest.raises(CannotWrite, match="unpack_to of the configuration names another folder"):
        corpus.video_path(next(corpus.records()))


# --- HDTF and TalkingHead-1KH -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stem", "speaker"),
    [
        ("RD_Radio34_002", "RD_Radio34"),
        ("WDA_KatieHill_000", "WDA_KatieHill"),
        ("WRA_MittRomney1_1", "WRA_MittRomney"),
        ("Radio11_0", "Radio11"),
        ("interview", "interview"),
        ("7_0", "7"),
    ],
)
def test_hdtf_speakers(stem, speaker):
    assert speaker_of(stem) == speaker


def test_hdtf_speaker_is_in_one_split(tmp_path):
    touch(tmp_path, *(f"WDA_Person{letter}_{clip:03d}.mp4" for letter in "ABCDEFGH" for clip in range(4)))
    records = list(HDTF(tmp_path, splits=SpeakerSplits(valid=0.5)).records())
    by_speaker = {}
    for record in records:
        by_speaker.setdefault(record.speaker, set()).add(record.split)
    assert all(len(splits) == 1 for splits in by_speaker.values())
    assert {record.split for record in records} == {"train", "valid"}


def test_hdtf_config_asks_for_neutral_faces(tmp_path):
    touch(tmp_path, "RD_Radio34_002.mp4")
    corpus = config.build(config.load(CONFIGS / "hdtf.yaml", [f"corpus.params.root={tmp_path}"]).corpus)
    record = next(corpus.records())
    assert corpus.write(record, {"lip_corner_puller": 0.9}) == corpus.write(record, {}) != ()


def test_talking_head_clips_are_all_test(forest):
    root, _ = forest["talking_head_1kh"]
    corpus = TalkingHead1KH(root)
    records = by_id(corpus)
    assert {record.split for record in records.values()} == {"test"}
    assert {record.speaker for record in records.values()} == {"lJ7OLGxC-cM", "-a_b0c1d2e3"}
    assert all(corpus.write(record, {"jaw_drop": 1.0}) == () for record in records.values())
    assert corpus.left_out() == {"val/raw_videos/lJ7OLGxC-cM.mp4": "not in cropped_clips"}


# --- Casual Conversations -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "instruction"),
    [
        ("natural.  smile.", "natural. smile."),
        ("natural. sad.", "natural. sad."),
        ("%", ""),
        ("okay.", ""),
        ("", ""),
        ("alright. % good. mhm.", ""),
        ("slow % rotate head right and back.", "slow rotate head right and back."),
        ("um. okay and now, uh, a a big smile. perfect.", "a big smile."),
        ("and back.", "back."),
        ("okay back. good now open your mouth.", "back. open your mouth."),
        ("could you show me a natural smile?", "could you show me a natural smile?"),
        ("surprise! awesome", "surprise!"),
        ("as if you= laughing laughing.", "as if laughing laughing."),
        ("continue doing free expressions for", "continue doing free expressions."),
        ("five more seconds.", ""),
        ("you know the other day you had such a happy face when you told me all about the house and the garden and the dog", ""),
        ("I went back to see my family and it was a very long way", ""),
        ("when they are grown they look around and want to go right back home", ""),
        ("I need you to give me a small smile first.", "I need you to give me a small smile first."),
        ("turn your head all the way right", "turn your head all the way right."),
        ("0-2s: smile | 2-4s: sad", "0-2s smile 2-4s sad."),
    ],
)
def test_what_was_said_is_cleaned(said, instruction):
    assert instruction_of(said) == instruction
    assert instruction_of(instruction) == instruction, "clean text stays as it is"


def test_casual_conversations_are_silent_sequences(forest):
    root, ids = forest["casual_conversations"]
    corpus = CasualConversations(root)
    records = by_id(corpus)
    assert CasualConversations.silent and corpus.silent
    assert [records[name].instructions for name in ids] == [("natural. smile.",), ("natural. sad.",)]
    assert records[ids[1]].extra == {"said": "okay. % natural.  sad."}
    assert {record.speaker for record in records.values()} == {"1140"}
    assert corpus.sound_path(records[ids[0]]) is None
    assert corpus.left_out() == {
        "CC_part_5_4/CC_part_5_4_0996_12_1_0.MP4": "nothing was said that asks for something a face can do",
        "CC_part_9_9_0001_01_1_0": "no video with this name",
    }


def test_whole_takes_are_told_apart(tmp_path):
    touch(tmp_path, "CC_part_1_1/1140/1140_07.MP4", "CC_part_1_1_1140_07_9_0.mp4")
    (tmp_path / "video2instruction.json").write_text('{"CC_part_1_1_1140_07_0_0": "smile."}')
    with pytest.raises(MissingFile, match="1140_07.MP4: not a segment .*cut whole takes first"):
        list(CasualConversations(tmp_path).records())


def test_a_subject_of_two_parts_is_one_speaker(tmp_path):
    touch(tmp_path, "CC_part_1_1_1140_07_0_0.mp4", "CC_part_3_2_1140_01_2_1.mp4")
    said = {"CC_part_1_1_1140_07_0_0": "smile.", "CC_part_3_2_1140_01_2_1": "sad."}
    (tmp_path / "said.json").write_text(json.dumps(said), encoding="utf-8-sig")
    corpus = CasualConversations(tmp_path, instruction_file="said.json", splits=SpeakerSplits(test_speakers=["1140"]))
    assert [record.split for record in corpus.records()] == ["test", "test"]


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        (None, MissingFile, "set instruction_file"),
        ("{", BadMedia, "cannot be read"),
        ("[]", BadMedia, "got a list"),
        ('{"a": 3}', BadMedia, "expected text for a .*got 3"),
    ],
)
def test_a_wrong_list_of_instructions(tmp_path, text, error, told):
    touch(tmp_path, "CC_part_1_1_1140_07_0_0.mp4")
    if text is not None:
        (tmp_path / "video2instruction.json").write_text(text)
    with pytest.raises(error, match=told):
        list(CasualConversations(tmp_path).records())


# --- CREMA-D ------------------------------------------------------------------------------------------------------------------------------


def test_crema_d_names(tmp_path):
    names = (
        "1001_DFA_ANG_XX",
        "1002_IEO_SAD_HI",
        "1003_IEO_FEA_LO",
        "1004_IEO_DIS_MD",
        "1005_WSI_NEU_XX",
        "1040_ITH_SAD_X",
        "1006_IEO_HAP_MD",
    )
    touch(tmp_path, *(f"VideoFlash/{name}.flv" for name in names), "VideoFlash/1001_DFA_JOY_XX.flv", "VideoFlash/1001_DFA.flv")
    corpus = CremaD(tmp_path)
    records = by_id(corpus)
    assert {name: (record.emotion, record.intensity) for name, record in records.items()} == {
        "1001_DFA_ANG_XX": ("angry", 0),
        "1002_IEO_SAD_HI": ("sad", 3),
        "1003_IEO_FEA_LO": ("fear", 1),
        "1004_IEO_DIS_MD": ("disgusted", 2),
        "1005_WSI_NEU_XX": ("neutral", 0),
        "1006_IEO_HAP_MD": ("happy", 2),
        "1040_ITH_SAD_X": ("sad", 0),
    }
    assert records["1001_DFA_ANG_XX"].speaker == "1001"
    assert records["1001_DFA_ANG_XX"].extra == {"sentence": "Don't forget a jacket."}
    assert set(corpus.left_out()) == {"VideoFlash/1001_DFA_JOY_XX.flv", "VideoFlash/1001_DFA.flv"}


def test_crema_d_without_git_lfs(tmp_path):
    pointer = tmp_path / "VideoFlash" / "1001_DFA_ANG_XX.flv"
    pointer.parent.mkdir()
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(BadMedia, match="git lfs pull"):
        list(CremaD(tmp_path).records())


# --- folder -------------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def videos(tmp_path):
    touch(tmp_path, "anna/take 1.mp4", "ben/a.mp4", "c.mov")
    return tmp_path


def sheet(root, text, name="clips.csv", encoding="utf-8"):
    (root / name).write_bytes(text.encode(encoding))
    return Folder(root)


def test_folder_without_a_sheet(videos):
    records = by_id(Folder(videos, splits=SpeakerSplits(valid=0.0)))
    assert list(records) == ["anna--take_1", "ben--a", "c"]
    assert {(record.instructions, record.emotion, record.speaker, record.split) for record in records.values()} == {((), "", "", "train")}
    assert Folder(videos, silent=True).silent
    assert not Folder(videos).silent


def test_a_sheet_says_which_of_its_videos_are_silent(videos):
    root = videos
    (root / "clips.csv").write_text("path,silent\nc.mov,yes\nben/a.mp4,NO\nanna/take 1.mp4,\n")
    for usual in (False, True):
        corpus = Folder(root, silent=usual)
        assert [corpus.is_silent(record) for record in corpus.records()] == [usual, False, True]


def test_csv_and_jsonl_say_the_same(trees, clips, tmp_path):
    for kind in ("csv", "jsonl"):
        trees.build_folder(tmp_path / kind, clips, kind)
    found = [list(Folder(tmp_path / kind).records()) for kind in ("csv", "jsonl")]
    assert found[0] == found[1]
    anna, ben = found[0]
    assert (anna.instructions, anna.emotion, anna.intensity, anna.speaker) == (("smile", "look happy"), "happy", 3, "anna")
    assert (ben.instructions, ben.split) == ((), "valid")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_as_spreadsheets_write_it(videos, encoding, end, mark):
    lines = [
        "Path, instruction ,emotion",
        '"anna/take 1.mp4","smile, please; é","Anger"',
        "",
        '"ben/a.mp4","two ""quoted""\nlines || sad",""',
    ]
    text = end.join(lines).replace('","', f'"{mark}"').replace("Path, instruction ,emotion", f"Path{mark} instruction {mark}emotion") + end
    records = by_id(sheet(videos, text, encoding=encoding))
    assert records["anna--take_1"].instructions == ("smile, please; é",)
    assert records["anna--take_1"].emotion == "angry"
    assert records["ben--a"].instructions == ('two "quoted" lines', "sad")


def test_videos_that_the_sheet_does_not_name_are_left_out(videos):
    corpus = sheet(videos, "path\nc.mov\n")
    assert list(by_id(corpus)) == ["c"]
    assert corpus.left_out() == {"anna/take 1.mp4": "not in clips.csv", "ben/a.mp4": "not in clips.csv"}


def test_timed_scripts_and_windows_paths_pass(videos):
    records = by_id(sheet(videos, "path,instruction\nanna\\take 1.mp4,0-1s: smile | 1-2s: sad || smile || smile\n./ben/a.mp4,\n"))
    assert records["anna--take_1"].instructions == ("0-1s: smile | 1-2s: sad", "smile")
    assert records["ben--a"].instructions == ()


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("file,emotion\nc.mov,sad\n", BadOption, r"row 1: expected a head with the column path .*got 'file,emotion'"),
        ("path,emotoin\nc.mov,sad\n", BadOption, "row 2: expected the columns .*got 'emotoin'; did you mean 'emotion'"),
        ("path,emotion\nc.mov,sad\nben/a.mp4,hapy\n", BadOption, "row 3, column emotion: .*got 'hapy'; did you mean 'happy'"),
        (
            "path,split\nc.mov,vaild\n",
            BadOption,
            "row 2, column split: expected train, valid, test or nothing, got 'vaild'; did you mean 'valid'",
        ),
        ("path,silent\nc.mov,yess\n", BadOption, "row 2, column silent: expected yes, no or nothing, got 'yess'; did you mean 'yes'"),
        ("path,intensity\nc.mov,4\n", BadOption, "row 2, column intensity: expected 1, 2 or 3 .*got '4'"),
        ("path\nd.mov\n", MissingFile, "row 2, column path: expected a video at .*d.mov"),
        ("path\n../x.mp4\n", BadOption, "row 2, column path: expected a path below"),
        ("path\n/x.mp4\n", BadOption, "row 2, column path: expected a path below"),
        ("path,split\n,train\n", BadOption, "row 2, column path: expected a video, got nothing"),
        ("path\nclips.csv\n", BadMedia, "row 2, column path: expected a video .*got 'clips.csv'"),
        ("path\nc.mov\nben/a.mp4\n./c.mov\n", BadOption, "row 4, column path: 'c.mov' is already in row 2"),
        ("path,split\nc.mov,train,sad\n", BadOption, "row 2: expected 2 cells, got 3"),
        ('path,instruction\nc.mov,"never closed\n', BadMedia, "cannot be read"),
        ("", BadOption, "row 1: expected a head"),
    ],
)
def test_wrong_sheets_name_row_and_column(videos, text, error, told):
    with pytest.raises(error, match=told) as raised:
        list(sheet(videos, text).records())
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith("clips.csv row") or "clips.csv" in str(raised.value)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "row 2: expected a JSON object"),
        ("[1]", "row 2: expected a JSON object"),
        ('{"path": ["c.mov"]}', "row 2, column path: expected text"),
        ('{"path": "c.mov", "instruction": ["smile", 3]}', "row 2, column instruction: expected text or a list of texts"),
        ('{"path": "c.mov", "instruction": {"a": 1}}', "row 2, column instruction: expected text"),
        ('{"path": "c.mov", "intensity": 2.5}', "row 2, column intensity"),
    ],
)
def test_wrong_lines_of_jsonl(videos, line, told):
    with pytest.raises((BadMedia, BadOption), match=told):
        list(sheet(videos, '{"path": "ben/a.mp4", "intensity": 2}\n' + line + "\n", "clips.jsonl").records())


def test_the_sheet_in_the_docs_is_read(videos):
    text = (CONFIGS.parents[1] / "docs" / "datasets.md").read_text()
    records = by_id(sheet(videos, re.search(r"```csv\n(.*?)```", text, re.DOTALL)[1]))
    assert records["anna--take_1"].instructions == ("smile", "look happy")
    assert records["ben--a"].instructions == ("0-1s: smile | 1-2s: turn left",)


def test_sheets_of_another_kind(videos, tmp_path):
    with pytest.raises(BadMedia, match="expected .* in UTF-8.*CSV UTF-8"):
        list(sheet(videos, "path,instruction\nc.mov,lächle\n", encoding="cp1252").records())
    (videos / "clips.jsonl").write_text("")
    with pytest.raises(BadOption, match="expected one sheet"):
        Folder(videos)
    with pytest.raises(MissingFile, match="expected the sheet .*gone.csv"):
        list(Folder(videos, sheet="gone.csv").records())
    with pytest.raises(BadOption, match="ends in .csv"):
        list(Folder(videos, sheet="clips.xlsx").records())


def test_two_kinds_of_one_video_are_both_named(tmp_path):
    touch(tmp_path, "a.mp4", "a.mov")
    with pytest.raises(BadMedia, match="'a.mov' and 'a.mp4'"):
        list(Folder(tmp_path).records())


def test_every_video_suffix_is_taken(tmp_path):
    touch(tmp_path, *(f"{number}{suffix.upper()}" for number, suffix in enumerate(VIDEO_SUFFIXES)))
    assert len(list(Folder(tmp_path).records())) == len(VIDEO_SUFFIXES)
