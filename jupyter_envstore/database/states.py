"""States of builds, jobs and artifacts. A state tells the truth: COMPLETED means that it can be used.

Its files may be away: removed to save space, in the folder of another machine, or never brought. Then they are brought
first.
"""

from collections.abc import Sequence

QUEUED, BUILDING, COMPLETED, FAILED, CANCELED = "QUEUED", "BUILDING", "COMPLETED", "FAILED", "CANCELED"
UNSETTLED = (QUEUED, BUILDING)
JOB_QUEUED, JOB_RUNNING, JOB_SETTLING = "queued", "running", "settling"
JOB_DONE, JOB_FAILED, JOB_CANCELED = "done", "failed", "canceled"
PENDING, MAKING, READY, ARTIFACT_FAILED, DROPPED = "pending", "building", "ready", "failed", "dropped"
ABSENT = "absent"
"""The state of an artifact that can be made and has no row yet."""
ON_DEMAND = "pulled"
"""What triggered a build whose image somebody pulled by the names of packages."""
KEEPING, KEPT, PARTLY_KEPT, KEEP_FAILED, NOT_KEPT = "keeping", "kept", "partly", "failed", ""
"""Whether the files of a build's packages are in the store; partly: all but some that cannot be had."""
WORK_ON = {
    "restore": "restoring",
    "finish": "finishing",
    "artifact": "the artifacts of",
    "check": "the check of",
    "keep": "keeping the packages of",
}
"""What a job of a kind does with a build that is there, in words before the build's name."""


def stopped_words(kinds: Sequence[str], name: str) -> str:
    """Return what was stopped, by the kinds of its jobs: the build itself, or what was done with it.

    >>> stopped_words(["artifact"], "build 3")
    'the artifacts of build 3'
    """
    words = [WORK_ON[kind] for kind in dict.fromkeys(kinds) if kind in WORK_ON]
    return name if "build" in kinds or not words else f"{' and '.join(words)} {name}"
