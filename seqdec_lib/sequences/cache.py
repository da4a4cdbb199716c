"""What a Transformer remembers while it decodes, and how it reads one more token."""

from torch import Tensor, nn
from torch.nn import functional as F


class KeyValueCache:
    """Keys and values of the tokens that a Transformer has read, so that no token is read twice.

    kept : (layers, 2, B, heads, context, width / heads), keys and values; only the first `length`
        places are filled
    mask : (B, context) bool, False where a token was padding; None while there was no padding
    length : tokens read so far, padding included
    blocks : the weights of each layer, for `read_one`"""

    def __init__(
        self, kept: Tensor, blocks: list, mask: Tensor | None = None, length: int = 0
    ) -> None:
        self.kept, self.blocks, self.mask, self.length = kept, blocks, mask, length

    @property
    def batch(self) -> int:
        return self.kept.shape[2]

    def select(self, rows: Tensor) -> "KeyValueCache":
        """A copy with these rows (M,) of the batch: to drop, repeat or reorder sequences."""
        mask = None if self.mask is None else self.mask[rows]
        return KeyValueCache(self.kept[:, :, rows], self.blocks, mask, self.length)

    def extend(self, mask: Tensor | None, new: int) -> Tensor | None:
        """Make room for `new` tokens; the mask (B, length) of all, None if none is padding."""
        self.length += new
        if mask is not None and self.mask is None:
            batch, context = self.kept.shape[2], self.kept.shape[4]
            self.mask = mask.new_ones(batch, context)
        if mask is not None:
            self.mask[:, self.length - new : self.length] = mask
        return None if self.mask is None else self.mask[:, : self.length]

    def read_one(self, x: Tensor, allowed: Tensor | None, activation: nn.Module) -> Tensor:
        """What all blocks make of one more token a row, (B, W) -> (B, W).

        These are the sums of `Block`, in as few calls as possible: for a single token, calls take
        longer than sums."""
        heads, width = self.kept.shape[3], x.shape[1]
        seen = self.kept[..., : self.length, :].unbind(0)  # (2, B, H, S, W / H) of each layer
        new = self.kept[..., self.length - 1, :].unbind(0)
        for weights, past, now in zip(self.blocks, seen, new, strict=True):
            scale_1, shift_1, scale_2, shift_2, of_qkv, bias_qkv, *rest = weights
            of_out, bias_out, of_hidden, bias_hidden, of_mlp, bias_mlp = rest
            qkv = F.linear(F.layer_norm(x, (width,), scale_1, shift_1), of_qkv, bias_qkv)
            qkv = qkv.view(len(x), 3, heads, -1).transpose(0, 1)
            now.copy_(qkv[1:])
            mixed = F.scaled_dot_product_attention(qkv[0].unsqueeze(2), *past.unbind(0), allowed)
            x = x + F.linear(mixed.flatten(1), of_out, bias_out)
            hidden = F.linear(F.layer_norm(x, (width,), scale_2, shift_2), of_hidden, bias_hidden)
            x = x + F.linear(activation(hidden), of_mlp, bias_mlp)
        return x
