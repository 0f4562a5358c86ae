"""What is said of the files of an item: names, kinds, sizes and pieces that fit each other."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from protocol.messages.items import PIECE
from tests.factories import make_attachment, make_submission


@pytest.mark.parametrize(
    "name", ["a/b.pdf", "..\\b.pdf", "..", ".", "a\u202efdp.exe", "a\u200fb.pdf", "a\x00.pdf", ""]
)
def test_an_attachment_has_the_name_of_a_file_that_hides_nothing(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        make_attachment(name=name)


@pytest.mark.parametrize("media_type", ["pdf", "Image/PNG", "text/plain; charset=utf-8", "a/b/c"])
def test_a_media_type_has_one_spelling(media_type: str) -> None:
    with pytest.raises(ValidationError, match="media_type"):
        make_attachment(media_type=media_type)


@pytest.mark.parametrize(
    ("size", "pieces"),
    [(PIECE, 2), (PIECE + 1, 1), (PIECE + 1, 3), (1, 0), (5 * PIECE, 4)],
)
def test_the_pieces_of_an_attachment_fit_its_size(size: int, pieces: int) -> None:
    with pytest.raises(ValidationError, match="number of pieces does not fit"):
        make_attachment(size=size, pieces=["ab" * 32] * pieces)
    assert make_attachment(size=4 * PIECE + 1, pieces=["ab" * 32] * 5)


def test_the_only_piece_of_an_attachment_is_the_file() -> None:
    with pytest.raises(ValidationError, match="the only piece is the file"):
        make_attachment(pieces=["cd" * 32])


@pytest.mark.parametrize("same", ["name", "digest"])
def test_the_attachments_of_an_edition_differ(same: str) -> None:
    other = {"name": "b.jpg", "digest": "cd" * 32, "pieces": ["cd" * 32]}
    if same == "name":
        other["name"] = make_attachment().name
    else:
        other |= {"digest": "ab" * 32, "pieces": ["ab" * 32]}
    with pytest.raises(ValidationError, match="two attachments"):
        make_submission(attachments=[make_attachment(), make_attachment(**other)])


def test_the_attachments_of_an_edition_have_a_thousand_pieces_at_most() -> None:
    half = {"size": 500 * PIECE, "pieces": ["ef" * 32] * 500}
    one = make_attachment(**half)
    two = make_attachment(**half, name="b.jpg", digest="cd" * 32)
    assert make_submission(attachments=[one, two])
    three = make_attachment(name="c.jpg", digest="ef" * 32, pieces=["ef" * 32])
    with pytest.raises(ValidationError, match="too many pieces"):
        make_submission(attachments=[one, two, three])
