"""A sequence VAE for strings, such as those of molecules."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.distributions import Independent

from vaeedu import require, sampling
from vaeedu.sequences.bound import kl_to_standard, weighted
from vaeedu.sequences.recurrent import BidirectionalEncoder, Decoder


class StringVAE(nn.Module):
    r"""A variational autoencoder for rows of tokens that end with 0.

    $$p(x \mid z) = \prod_{t=1}^{T} p(x_t \mid x_{<t}, z) \cdot p(x_{T+1} = \text{end} \mid x_{\le T}, z), \qquad
      z \sim \mathcal N(0, I).$$

    With `num_latents=0` there is no code, and `elbo` is log p(x) exactly.

    Args:
        num_tokens: L, the end included: `len(tokenizer)`.
        num_latents: K.
        num_hidden: Units of the decoder's LSTM.
        num_encoder_hidden: Units of the encoder's, in each direction.
        num_embedding: Entries of the vector that stands for a token.

    Raises:
        ValueError: A number is not positive, or `num_latents` is negative.

    Reference:
        Gómez-Bombarelli et al. (2018), Automatic chemical design using a data-driven continuous representation of
        molecules. Bowman et al. (2016), Generating sentences from a continuous space.

    >>> model = StringVAE(5, 2, num_hidden=8, num_encoder_hidden=8)
    >>> model.elbo(torch.tensor([[1, 2, 3, 0], [4, 0, 0, 0]])).shape
    torch.Size([2])
    """

    def __init__(
        self,
        num_tokens: int,
        num_latents: int = 32,
        *,
        num_hidden: int = 128,
        num_encoder_hidden: int = 64,
        num_embedding: int = 32,
    ) -> None:
        super().__init__()
        L, K = (
            require.positive_int("num_tokens", num_tokens),
            require.non_negative_int("num_latents", num_latents),
        )
        E = require.positive_int("num_embedding", num_embedding)
        H = require.positive_int("num_encoder_hidden", num_encoder_hidden)
        self.num_tokens, self.num_latents = L, K
        self.embedding = nn.Embedding(L + 1, E)  # the last one is what stands before the first token
        self.encoder = BidirectionalEncoder(E, H, K) if K else None
        self.decoder = Decoder(E, require.positive_int("num_hidden", num_hidden), K, L)

    def posterior(self, x: object) -> Independent:
        """Returns q(z|x), batch shape `(B,)`, event shape `(K,)`, for rows `(B, T)`.

        Raises:
            ValueError: `x` is no such tensor, or the model has no code.
        """
        x = self._rows(x)
        if self.encoder is None:
            raise ValueError(
                "num_latents must be at least 1 for a posterior, but is 0: this model has no code"
            )
        return self.encoder(self.embedding(x), self._lengths(x) + 1)  # the end is read, too

    def log_likelihood(self, x: object, z: Float[Tensor, "B K"]) -> Float[Tensor, " B"]:
        """Computes log p(x|z) in nats a string, `(B,)`: of all tokens and one end, and of no padding.

        Args:
            x: Rows, `(B, T)`, each with a 0 at its end.
            z: Codes, `(B, K)`.

        Raises:
            ValueError: `x` is no such tensor.
        """
        x = self._rows(x)
        n = self._lengths(x)
        x = x[:, : int(n.max()) + 1]
        before = torch.cat([x.new_full((len(x), 1), self.num_tokens), x[:, :-1]], dim=1)
        logits = self.decoder(z, self.embedding(before), self.decoder.initial(z))[0]
        each = logits.log_softmax(dim=-1).gather(-1, x[..., None])[..., 0]  # (B, T)
        return (each * (torch.arange(x.shape[1], device=x.device) <= n[:, None])).sum(dim=1)

    def elbo(
        self,
        x: object,
        *,
        beta: float = 1.0,
        free_nats: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, " B"]:
        r"""Estimates the bound on log p(x) in nats a string, `(B,)`, from one draw of z.

        $$\log p(x \mid z) - \beta \max(\mathrm{KL}(q(z \mid x) \,\|\, p(z)),\ \lambda), \qquad z \sim q(z \mid x).$$

        Args:
            x: Rows, `(B, T)`.
            beta: β, weight of the KL term.
            free_nats: λ: so much of a string's KL costs nothing.
            generator: The source of randomness; None is torch's global one.

        Raises:
            ValueError: As `log_likelihood`, or `beta` or `free_nats` is negative.
        """
        x = self._rows(x)
        if self.encoder is None:
            return self.log_likelihood(x, self.embedding.weight.new_zeros(len(x), 0))
        q = self.posterior(x)
        z = sampling.draw(q, generator=generator)
        return weighted(self.log_likelihood(x, z), kl_to_standard(q), beta, free_nats)

    def kl(self, x: object) -> Float[Tensor, " B"]:
        """Computes KL(q(z|x) ‖ p(z)) in nats a string, `(B,)`: how much of x the code holds at most.

        Raises:
            ValueError: As `posterior`.
        """
        return kl_to_standard(self.posterior(x))

    @torch.no_grad()
    def decode(
        self,
        z: Float[Tensor, "B K"],
        *,
        temperature: float = 1.0,
        num_steps: int = 100,
        generator: torch.Generator | None = None,
    ) -> Int64[Tensor, "B T"]:
        """Writes a string for each code, token by token, from p(token)^{1/T}, normalised.

        Args:
            z: `(B, K)`.
            temperature: T; 0 takes the most probable token each time.
            num_steps: Most tokens of a string; one that has not ended is cut off there.
            generator: The source of randomness; None is torch's global one.

        Returns:
            Rows that end with 0, `(B, T)`, with no more steps than the longest needs.

        Raises:
            ValueError: `temperature` is negative, or `num_steps` is not positive.
        """
        T = require.non_negative_float("temperature", temperature)
        N = require.positive_int("num_steps", num_steps)
        token = torch.full((len(z),), self.num_tokens, device=z.device)
        state, over, rows = (
            self.decoder.initial(z),
            torch.zeros(len(z), dtype=torch.bool, device=z.device),
            [],
        )
        for _ in range(N):
            output, state = self.decoder(z, self.embedding(token)[:, None], state)
            logits = output[:, 0]
            if T == 0:
                token = logits.argmax(dim=-1)
            else:
                token = sampling.categorical((logits / T).softmax(dim=-1), generator=generator)
            token = token.masked_fill(over, 0)
            over = over | (token == 0)
            rows.append(token)
            if bool(over.all()):
                break
        return torch.stack([*rows, torch.zeros_like(token)], dim=1)

    def sample(
        self,
        num_samples: int,
        *,
        temperature: float = 1.0,
        num_steps: int = 100,
        generator: torch.Generator | None = None,
    ) -> Int64[Tensor, "N T"]:
        """Draws codes from the prior, and a string for each, `(N, T)`: see `decode`.

        Raises:
            ValueError: As `decode`, or `num_samples` is not positive.
        """
        shape = (require.positive_int("num_samples", num_samples), self.num_latents)
        z = sampling.normal(shape, like=self.embedding.weight, generator=generator)
        return self.decode(z, temperature=temperature, num_steps=num_steps, generator=generator)

    @torch.no_grad()
    def reconstruct(self, x: object) -> Int64[Tensor, "B T"]:
        """Writes the string that is most probable, token by token, for the mean of q(z|x).

        Raises:
            ValueError: As `posterior`.
        """
        x = self._rows(x)
        return self.decode(self.posterior(x).mean, temperature=0.0, num_steps=x.shape[1])

    def _lengths(self, x: Tensor) -> Tensor:
        """Tokens before the first 0, `(B,)`."""
        return ((x == 0).cumsum(dim=1) == 0).sum(dim=1)

    def _rows(self, x: object) -> Tensor:
        fits = isinstance(x, Tensor) and x.ndim == 2 and 0 not in x.shape and x.dtype == torch.int64
        if not fits or bool(((x < 0) | (x >= self.num_tokens)).any()) or not bool((x[:, -1] == 0).all()):  # type: ignore[index, operator, attr-defined]
            raise ValueError(
                f"x must be int64 rows (B, T) of tokens below {self.num_tokens}, each ending with 0, "
                f"but is {x if not isinstance(x, Tensor) else (tuple(x.shape), x.dtype)}: use Tokenizer.encode"
            )
        return x  # type: ignore[return-value]
