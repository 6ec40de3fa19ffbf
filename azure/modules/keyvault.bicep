// The secrets that no identity replaces: connection strings and keys. Services read them as references, each its own.
param name string
param location string
param namespaceName string
param accountName string
@secure()
param scoringKey string
@secure()
param dashboardPassword string
param eventsReaders array
param documentsReaders array
param scoringReaders array
param dashboardReaders array
param workspaceId string
@description('When the secrets are due for rotation; a secret that has expired still works, and is reported.')
param due string = dateTimeAdd(utcNow(), 'P180D')

// Key Vault Secrets User: read the content, nothing else.
var readerRole = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4633458b-17de-408a-b874-0445c86b69e6')

resource policy 'Microsoft.EventHub/namespaces/authorizationRules@2024-01-01' existing = {
  name: '${namespaceName}/fraudstream-services'
}

resource account 'Microsoft.DocumentDB/databaseAccounts@2024-05-15' existing = {
  name: accountName
}

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: '${name}-vault'
  location: location
  properties: {
    tenantId: subscription().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: 'Allow'
    }
  }
}

resource events 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = {
  parent: vault
  name: 'kafka-sasl-password'
  properties: {
    contentType: 'text/plain'
    attributes: {
      enabled: true
      exp: dateTimeToEpoch(due)
    }
    value: policy.listKeys().primaryConnectionString
  }
}

resource documents 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = {
  parent: vault
  name: 'mongo-uri'
  properties: {
    contentType: 'text/plain'
    attributes: {
      enabled: true
      exp: dateTimeToEpoch(due)
    }
    value: 'mongodb://${accountName}:${uriComponent(account.listKeys().primaryMasterKey)}@${accountName}.mongo.cosmos.azure.com:10255/?ssl=true&replicaSet=globaldb&retrywrites=false&maxIdleTimeMS=120000&appName=@${accountName}@'
  }
}

resource scoring 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = {
  parent: vault
  name: 'scoring-key'
  properties: {
    contentType: 'text/plain'
    attributes: {
      enabled: true
      exp: dateTimeToEpoch(due)
    }
    value: scoringKey
  }
}

resource dashboards 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = {
  parent: vault
  name: 'dashboard-password'
  properties: {
    contentType: 'text/plain'
    attributes: {
      enabled: true
      exp: dateTimeToEpoch(due)
    }
    value: dashboardPassword
  }
}

resource eventsReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for id in eventsReaders: {
    name: guid(events.id, id, readerRole)
    scope: events
    properties: {
      principalId: id
      principalType: 'ServicePrincipal'
      roleDefinitionId: readerRole
    }
  }
]

resource documentsReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for id in documentsReaders: {
    name: guid(documents.id, id, readerRole)
    scope: documents
    properties: {
      principalId: id
      principalType: 'ServicePrincipal'
      roleDefinitionId: readerRole
    }
  }
]

resource scoringReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for id in scoringReaders: {
    name: guid(scoring.id, id, readerRole)
    scope: scoring
    properties: {
      principalId: id
      principalType: 'ServicePrincipal'
      roleDefinitionId: readerRole
    }
  }
]

resource dashboardReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for id in dashboardReaders: {
    name: guid(dashboards.id, id, readerRole)
    scope: dashboards
    properties: {
      principalId: id
      principalType: 'ServicePrincipal'
      roleDefinitionId: readerRole
    }
  }
]

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
  }
}

output vaultId string = vault.id
output vaultUri string = vault.properties.vaultUri
