// Cosmos DB for MongoDB (request units): the collections of the code, with shard keys, indexes and TTL.
param name string
param location string
param mongoVersion string
param collections array
param mostRequestUnits int
param workspaceId string

resource account 'Microsoft.DocumentDB/databaseAccounts@2024-05-15' = {
  name: '${name}-documents'
  location: location
  kind: 'MongoDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    apiProperties: {
      serverVersion: mongoVersion
    }
    locations: [
      {
        locationName: location
        failoverPriority: 0
        isZoneRedundant: false
      }
    ]
    consistencyPolicy: {
      defaultConsistencyLevel: 'Session'
    }
    capabilities: [
      {
        name: 'EnableMongo'
      }
    ]
    minimalTlsVersion: 'Tls12'
    // Throttled writes answer 16500 with RetryAfterMs, which the services wait for (core.documents.throttling).
    disableKeyBasedMetadataWriteAccess: true
    publicNetworkAccess: 'Enabled'
    backupPolicy: {
      type: 'Continuous'
      continuousModeProperties: {
        tier: 'Continuous7Days'
      }
    }
  }
}

resource database 'Microsoft.DocumentDB/databaseAccounts/mongodbDatabases@2024-05-15' = {
  parent: account
  name: 'fraudstream'
  properties: {
    resource: {
      id: 'fraudstream'
    }
  }
}

resource collection 'Microsoft.DocumentDB/databaseAccounts/mongodbDatabases/collections@2024-05-15' = [
  for one in collections: {
    parent: database
    name: one.name
    properties: {
      resource: {
        id: one.name
        shardKey: one.shardKey
        indexes: one.indexes
      }
      options: {
        autoscaleSettings: {
          maxThroughput: mostRequestUnits
        }
      }
    }
  }
]

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: account
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'allLogs'
        enabled: true
      }
    ]
  }
}

output accountName string = account.name
output host string = '${account.name}.mongo.cosmos.azure.com:10255'
