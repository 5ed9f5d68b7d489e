"""The paper's experiments: what was kept, what it is compared with, what is claimed, and a rule that judges.

Names are loaded on first use. Notebook: 11.
"""

from vampkit import lazily

_HOME = {
    "claims": (
        *("ALIKE", "CLAIMS", "Claim", "DISTANCES", "Judgement", "Statement", "VERDICTS"),
        *("alike", "answered", "judge", "less", "more", "nearest_noise", "pairs"),
    ),
    "causal": ("Cache", "CausalTransformer", "continued", "delayed", "undelayed"),
    "experiments": ("nominal_rate", "one_pass", "prompts", "token_noise", "true_rate"),
    "orders": ("Seen", "WAYS", "decode", "gumbel", "least", "turns"),
}
"""For each module, the public names that it holds."""

__getattr__, __dir__, __all__ = lazily(__name__, _HOME)
