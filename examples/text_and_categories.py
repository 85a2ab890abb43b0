"""Would a customer recommend the dress? Text and categories side by side, and what each adds.

Run it with `python examples/text_and_categories.py [BUDGET]`.
"""

import sys
from pathlib import Path

import polars as pl

import frazil as fz

REVIEWS = Path(__file__).with_name("data") / "reviews.parquet"


def main(budget: str = "30s") -> None:
    """Fit three recipes on the same reviews and compare them on others."""
    reviews = pl.read_parquet(REVIEWS)
    known, new = reviews.head(2_250), reviews.tail(750)

    categories = fz.Recipe(
        fz.keep_numbers("age"), fz.encode_ordinal(["department", "kind"]), fz.encode_target(["department", "kind"])
    )
    writing = fz.Recipe(fz.text_stats(["title", "review"]))
    words = fz.Recipe(fz.tfidf(["title", "review"], components=24))

    # What frazil would choose by itself, with its reasons.
    print(fz.suggest(known, "recommended"))
    for name, recipe in {
        "age and categories": categories,
        "and how the text is written": categories | writing,
        "and its words": categories | writing | words,
    }.items():
        model = fz.fit_auto(known, target="recommended", features=recipe, budget=budget, progress=False)
        auc = model.evaluate(new).row(0, named=True)
        print(f"{name:28} {model.features.height:3} features, ROC AUC {auc['score']:.3f}"
              f" [{auc['ci_low']:.3f}, {auc['ci_high']:.3f}]")  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
