// The namespace with its hubs, policies and roles. Kafka clients reach it on port 9093; topics are created here only.
param name string
param location string
param sku string
param units int
param mostUnits int
param hubs array
param senderIds array
param receiverIds array
param workspaceId string

var inflates = sku == 'Standard' && mostUnits > units
var senderRole = '2b629674-e913-4c01-ae53-ef4638d8f975'
var receiverRole = 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde'

resource namespace 'Microsoft.EventHub/namespaces@2024-01-01' = {
  name: '${name}-events'
  location: location
  sku: {
    name: sku
    tier: sku
    capacity: units
  }
  properties: {
    minimumTlsVersion: '1.2'
    isAutoInflateEnabled: inflates
    maximumThroughputUnits: inflates ? mostUnits : 0
    kafkaEnabled: true
    zoneRedundant: true
  }
}

resource hub 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' = [
  for one in hubs: {
    parent: namespace
    name: one.name
    properties: {
      partitionCount: one.partitions
      retentionDescription: {
        cleanupPolicy: 'Delete'
        retentionTimeInHours: one.retentionHours
      }
    }
  }
]

// Send and listen on all hubs, and nothing that manages them: for clients that cannot sign in by identity.
resource services 'Microsoft.EventHub/namespaces/authorizationRules@2024-01-01' = {
  parent: namespace
  name: 'fraudstream-services'
  properties: {
    rights: ['Listen', 'Send']
  }
}

// For senders outside: their connection string carries EntityPath=<hub> and reaches that hub alone.
resource send 'Microsoft.EventHub/namespaces/eventhubs/authorizationRules@2024-01-01' = [
  for (one, index) in hubs: {
    parent: hub[index]
    name: '${one.name}-send'
    properties: {
      rights: ['Send']
    }
  }
]

resource sender 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for id in senderIds: {
    name: guid(namespace.id, id, senderRole)
    scope: namespace
    properties: {
      principalId: id
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', senderRole)
    }
  }
]

resource receiver 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for id in receiverIds: {
    name: guid(namespace.id, id, receiverRole)
    scope: namespace
    properties: {
      principalId: id
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', receiverRole)
    }
  }
]

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: namespace
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

output namespaceName string = namespace.name
output bootstrapServers string = '${namespace.name}.servicebus.windows.net:9093'
