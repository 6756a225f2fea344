"""States of builds, jobs, artifacts and prefixes. A state tells the truth: COMPLETED means that it can be used."""

QUEUED, BUILDING, COMPLETED, FAILED, CANCELED = "QUEUED", "BUILDING", "COMPLETED", "FAILED", "CANCELED"
UNSETTLED = (QUEUED, BUILDING)
JOB_QUEUED, JOB_RUNNING, JOB_SETTLING = "queued", "running", "settling"
JOB_DONE, JOB_FAILED, JOB_CANCELED = "done", "failed", "canceled"
PENDING, MAKING, READY, ARTIFACT_FAILED, DROPPED = "pending", "building", "ready", "failed", "dropped"
ABSENT = "absent"
"""The state of an artifact that can be made and has no row yet."""
PREFIX_NONE, PREFIX_PRESENT, PREFIX_DROPPED = "none", "present", "dropped"
ON_DEMAND = "pulled"
"""What triggered a build whose image somebody pulled by the names of packages."""
KEEPING, KEPT, PARTLY_KEPT, KEEP_FAILED, NOT_KEPT = "keeping", "kept", "partly", "failed", ""
"""Whether the files of a build's packages are in the store; partly: all but some that cannot be had."""
