// The secrets that no identity replaces: connection strings and the endpoint's key. Services read them as references.
param name string
param location string
param readerIds array
param namespaceName string
param accountName string
@secure()
param scoringKey string
param workspaceId string

var readerRole = '4633458b-17de-408a-b874-0445c86b69e6'

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
    value: policy.listKeys().primaryConnectionString
  }
}

resource documents 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = {
  parent: vault
  name: 'mongo-uri'
  properties: {
    contentType: 'text/plain'
    value: 'mongodb://${accountName}:${uriComponent(account.listKeys().primaryMasterKey)}@${accountName}.mongo.cosmos.azure.com:10255/?ssl=true&replicaSet=globaldb&retrywrites=false&maxIdleTimeMS=120000&appName=@${accountName}@'
  }
}

resource scoring 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = {
  parent: vault
  name: 'scoring-key'
  properties: {
    contentType: 'text/plain'
    value: scoringKey
  }
}

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for id in readerIds: {
    name: guid(vault.id, id, readerRole)
    scope: vault
    properties: {
      principalId: id
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', readerRole)
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
