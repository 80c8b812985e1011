"""Service quality: SERVQUAL and SERVPERF scores, the reliability of a questionnaire."""
