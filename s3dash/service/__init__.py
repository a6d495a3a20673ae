"""Auto-sync as a service: `s3dash watch`, its log, its metrics and its hook."""
