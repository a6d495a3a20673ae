"""Keys and values on S3: datastores with the contract of IPFS's go-datastore."""
