"""Text as tokens: what it takes to make the book's Transformer a language model.

The model, the loss, the training loop and the sampler are those of behavior cloning and of the
Decision Transformer. A prompt is what the world says, an answer is what the model does:

    tokenizer = Tokenizer.of((text for pair in corpus.pairs for text in pair), WORDS)
    batch = training_batch(tokenizer, corpus.pairs)
    model = Transformer(len(tokenizer), context=64, width=96, heads=6)
    fit(model, minibatches(batch, 64, corpus.probabilities), steps=600)
    answers(model, tokenizer, ["Answer the following question: ‘What is ...?’"])"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from seqdec_lib.sequences.decoding import generate
from seqdec_lib.sequences.losses import IGNORE, Batch
from seqdec_lib.sequences.transformer import Transformer

END = 0
"""The token that ends an answer."""
TURN = "\n"
"""What stands between prompt and answer."""
_FIRST_BYTE, _FIRST_PIECE = 1, 257
_LETTER = r"[^\W\d_가-힣]"  # Latin or another alphabet, not Hangul
_IS_WORD = re.compile(f"{_LETTER}+(?: {_LETTER}+)*").fullmatch
_IS_HANGUL = re.compile("[가-힣]+").fullmatch


class Tokenizer:
    """Text to token ids and back, without loss for any text.

    Known pieces are one token each: words in letters, names of several words, words in Hangul,
    which are read from the left, the longest first (서울은 as 서울, 은), and single characters.
    Two pieces in letters side by side have a space between them that is not written down. What is
    not known falls apart into its UTF-8 bytes.

    Ids: END, the 256 bytes, the known pieces in order.

    Raises ValueError: a piece that is neither a word nor a single character."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self.pieces = sorted(set(pieces))
        self._ids = {piece: _FIRST_PIECE + i for i, piece in enumerate(self.pieces)}
        for piece in self.pieces:
            if len(piece) != 1 and not _IS_WORD(piece) and not _IS_HANGUL(piece):
                raise ValueError(
                    f"a piece must be a word or a single character, but {piece!r} came; "
                    "Tokenizer.of(texts) finds the pieces of texts."
                )
        self._split = _splitter(self.pieces)

    @classmethod
    def of(cls, texts: Iterable[str], words: Iterable[str] = ()) -> "Tokenizer":
        """The tokenizer that knows some words, and all words in letters and characters of texts."""
        words = list(words)
        split = _splitter(words)
        return cls([*words, TURN, *(piece for text in texts for piece in split(text))])

    def __len__(self) -> int:
        """Number of token ids."""
        return _FIRST_PIECE + len(self.pieces)

    def encode(self, text: str) -> list[int]:
        """Token ids of a text."""
        ids: list[int] = []
        pieces = self._split(text)
        for i, piece in enumerate(pieces):
            if piece == " " and all(map(self._is_known_word, _neighbors(pieces, i))):
                continue
            if piece in self._ids:
                ids.append(self._ids[piece])
            else:
                ids += [_FIRST_BYTE + byte for byte in piece.encode("utf-8", "surrogatepass")]
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """The text up to END. Bytes that are no UTF-8, which a model may say, become U+FFFD. Raises
        ValueError: an id that there is none of."""
        data, after_word = bytearray(), False
        for i in map(int, ids):
            if not 0 <= i < len(self):
                raise ValueError(f"token ids must lie in 0..{len(self) - 1}, but {i} came.")
            if i == END:
                break
            piece = self.pieces[i - _FIRST_PIECE] if i >= _FIRST_PIECE else ""
            is_word = _IS_WORD(piece) is not None
            data += b" " if is_word and after_word else b""
            data += piece.encode("utf-8", "surrogatepass") if piece else bytes([i - _FIRST_BYTE])
            after_word = is_word
        try:
            return data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return data.decode("utf-8", "replace")

    def _is_known_word(self, piece: str) -> bool:
        return piece in self._ids and _IS_WORD(piece) is not None


def _splitter(pieces: Iterable[str]) -> Callable[[str], list[str]]:
    """Text -> pieces: known names and words in Hangul, the longest first; words; characters."""
    known = sorted((p for p in pieces if " " in p.strip() or _IS_HANGUL(p)), key=len, reverse=True)
    whole = (p if _IS_HANGUL(p) else f"{p}(?!{_LETTER})" for p in known)
    return re.compile("|".join([*whole, f"{_LETTER}+", "."]), re.DOTALL).findall


def _neighbors(pieces: list[str], i: int) -> tuple[str, str]:
    return pieces[i - 1] if i else "", pieces[i + 1] if i + 1 < len(pieces) else ""


def training_batch(
    tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]], count_prompt: bool = False
) -> Batch:
    """Prompts and answers as a dataset: tokens (N, T), and what the model should say where.

    By default only the answer counts, END included, and the model is asked only where it has to
    choose (`Batch.at`). With `count_prompt` the prompt is to be predicted as well, all but its
    first token.

    Padding stands on the right, where a causal model never looks back from a token that counts.

    Raises ValueError: no pairs."""
    if not pairs:
        raise ValueError("a batch needs at least one pair of prompt and answer.")
    prompts = [tokenizer.encode(prompt + TURN) for prompt, _ in pairs]
    endings = [tokenizer.encode(answer) + [END] for _, answer in pairs]
    whole = [ids + ending for ids, ending in zip(prompts, endings, strict=True)]
    first = [1 if count_prompt else len(ids) for ids in prompts]  # the first token that counts
    most = max(len(ids) - start for ids, start in zip(whole, first, strict=True))
    tokens = torch.full((len(pairs), max(map(len, whole)) - 1), END)
    targets = torch.full((len(pairs), most), IGNORE)
    at = torch.zeros(len(pairs), most, dtype=torch.long)
    for row, (ids, start) in enumerate(zip(whole, first, strict=True)):
        tokens[row, : len(ids) - 1] = torch.tensor(ids[:-1])
        count = len(ids) - start
        targets[row, :count] = torch.tensor(ids[start:])
        at[row, :count] = torch.arange(start - 1, len(ids) - 1)
    return Batch(tokens, targets, at=None if count_prompt else at)


def prompt_tokens(tokenizer: Tokenizer, prompts: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Prompts of different lengths as one batch, padded on the left: ids and mask, both (B, T).
    Raises ValueError: no prompts."""
    if not prompts:
        raise ValueError("there is nothing to answer: pass at least one prompt.")
    rows = [tokenizer.encode(prompt + TURN) for prompt in prompts]
    longest = max(map(len, rows))
    tokens = torch.tensor([[END] * (longest - len(row)) + row for row in rows])
    mask = torch.tensor([[False] * (longest - len(row)) + [True] * len(row) for row in rows])
    return tokens, mask


def answers(
    model: Transformer,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    temperature: float = 0.0,
    most_tokens: int = 32,
    **options: Any,
) -> list[str]:
    """What the model says to each prompt, all in one batch; by default greedily.

    Other options (top_k, top_p, generator, cached) and errors are those of `sequences.generate`. An
    answer ends with END, or after `most_tokens` tokens, or where the model's context is full."""
    where = model.head.weight.device
    tokens, mask = (part.to(where) for part in prompt_tokens(tokenizer, prompts))
    steps = max(1, min(most_tokens, model.context - tokens.shape[1] + 1))
    made = generate(model, tokens, steps, mask, temperature, stop=END, **options)
    return [tokenizer.decode(row) for row in made.tolist()]
