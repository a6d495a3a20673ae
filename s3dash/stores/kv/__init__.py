"""Keys and values: go-datastore on S3."""
