// An IoT hub whose telemetry goes to a hub of the namespace, where the jobs read it as any sender's.
param name string
param location string
param sku string
param units int
param partitions int
param retentionDays int
param namespaceName string
param hubName string
param workspaceId string

var senderRole = '2b629674-e913-4c01-ae53-ef4638d8f975'

resource namespace 'Microsoft.EventHub/namespaces@2024-01-01' existing = {
  name: namespaceName
}

// Made before the hub, so that it may send as soon as the route is there.
resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${name}-devices'
  location: location
}

resource sender 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(namespace.id, identity.id, senderRole)
  scope: namespace
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', senderRole)
  }
}

resource hub 'Microsoft.Devices/IotHubs@2023-06-30' = {
  name: '${name}-devices'
  location: location
  sku: {
    name: sku
    capacity: units
  }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    minTlsVersion: '1.2'
    eventHubEndpoints: {
      events: {
        partitionCount: partitions
        retentionTimeInDays: retentionDays
      }
    }
    routing: {
      endpoints: {
        eventHubs: [
          {
            name: hubName
            authenticationType: 'identityBased'
            identity: {
              userAssignedIdentity: identity.id
            }
            endpointUri: 'sb://${namespaceName}.servicebus.windows.net'
            entityPath: hubName
          }
        ]
      }
      routes: [
        {
          name: hubName
          source: 'DeviceMessages'
          condition: 'true'
          endpointNames: [hubName]
          isEnabled: true
        }
      ]
      fallbackRoute: {
        name: 'fallback'
        source: 'DeviceMessages'
        condition: 'true'
        endpointNames: ['events']
        isEnabled: true
      }
    }
    cloudToDevice: {
      defaultTtlAsIso8601: 'PT1H'
      maxDeliveryCount: 10
    }
  }
  dependsOn: [sender]
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: hub
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

output hostName string = hub.properties.hostName
