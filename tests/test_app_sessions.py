import pytest

from dfnet.app.sessions import ABANDONED_S, IDLE_S, MAX_SESSIONS, Sessions
from dfnet.errors import InputError


class Clock:
    now_s = 1000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sessions(tmp_path, clock):
    return Sessions(tmp_path / "sessions", clock)


def is_open(sessions, session):
    try:
        return sessions.of(session.token) is session
    except InputError:
        return False


def test_each_page_has_a_secret_and_a_folder_of_its_own(sessions):
    one, other = sessions.begin(), sessions.begin()
    assert one.token != other.token
    assert one.folder != other.folder
    assert one.token not in str(one.folder)
    assert one.folder.stat().st_mode & 0o077 == 0
    assert sessions.of(one.token) is one


@pytest.mark.parametrize("token", [None, "", "x", 7, ["x"], {"token": "x"}])
def test_nobody_gets_in_by_guessing(sessions, token):
    sessions.begin()
    with pytest.raises(InputError, match="its photos are gone"):
        sessions.of(token)


def test_a_closed_page_is_forgotten_soon_and_an_open_one_late(sessions, clock):
    closed, left = sessions.begin("page 1"), sessions.begin("page 2")
    (closed.folder / "photo.jpg").write_bytes(b"x")
    sessions.page_closed("page 1")
    clock.now_s += ABANDONED_S + 1
    sessions.end_unused()
    assert not closed.folder.exists()
    assert left.folder.exists()
    clock.now_s += IDLE_S
    sessions.end_unused()
    assert not left.folder.exists()
    with pytest.raises(InputError):
        sessions.of(left.token)


def test_a_page_that_comes_back_keeps_its_photos(sessions, clock):
    session = sessions.begin("phone")
    sessions.page_closed("phone")
    clock.now_s += ABANDONED_S - 1
    sessions.of(session.token)
    clock.now_s += ABANDONED_S + 1
    sessions.end_unused()
    assert is_open(sessions, session)


def test_what_was_uploaded_goes_with_the_last_session_that_sent_it(sessions, tmp_path):
    upload = tmp_path / "upload.jpg"
    upload.write_bytes(b"x")
    one, other = sessions.begin(), sessions.begin()
    one.uploads.add(upload)
    other.uploads.add(upload)
    sessions.end(one)
    assert upload.exists()
    sessions.end(other)
    assert not upload.exists()


def test_the_longest_unused_makes_room(sessions, clock):
    first = sessions.begin()
    clock.now_s += 1
    others = [sessions.begin() for _ in range(MAX_SESSIONS - 1)]
    clock.now_s += 1
    assert is_open(sessions, first)
    newest = sessions.begin()
    assert is_open(sessions, first)  # it was just used
    assert sum(is_open(sessions, s) for s in [*others, newest]) == MAX_SESSIONS - 1
    assert is_open(sessions, newest)


def test_a_new_photo_takes_the_place_of_the_old(sessions):
    session = sessions.begin()
    (session.folder / "old.jpg").write_bytes(b"x")
    session.darkroom = session.export = object()
    session.forget_photo()
    assert not list(session.folder.iterdir())
    assert session.darkroom is None
    assert session.export is None
