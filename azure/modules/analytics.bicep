// A Stream Analytics job in place of the stream job: reads transactions, scores them, writes to the same hubs.
// Documents are the store job's: Stream Analytics can write to Cosmos DB's NoSQL API only.
param name string
param location string
param namespaceName string
param query string
@description('The output column whose text is the key of a record: the project\'s partition key.')
param partitionField string
param scoringUrl string
@secure()
param scoringKey string

var outputs = ['scored', 'rejected']

var senderRole = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '2b629674-e913-4c01-ae53-ef4638d8f975')
var receiverRole = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde')

resource namespace 'Microsoft.EventHub/namespaces@2024-01-01' existing = {
  name: namespaceName
}

resource job 'Microsoft.StreamAnalytics/streamingjobs@2021-10-01-preview' = {
  name: '${name}-analytics'
  location: location
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    sku: {
      name: 'StandardV2'
    }
    compatibilityLevel: '1.2'
    outputErrorPolicy: 'Stop'
    eventsOutOfOrderPolicy: 'Adjust'
    eventsOutOfOrderMaxDelayInSeconds: 0
    eventsLateArrivalMaxDelayInSeconds: 5
    transformation: {
      name: 'fraud'
      properties: {
        streamingUnits: 3
        query: query
      }
    }
    inputs: [
      {
        name: 'transactions'
        properties: {
          type: 'Stream'
          datasource: {
            type: 'Microsoft.EventHub/EventHub'
            properties: {
              serviceBusNamespace: namespaceName
              eventHubName: 'transactions'
              consumerGroupName: '$Default'
              authenticationMode: 'Msi'
            }
          }
          serialization: {
            type: 'Json'
            properties: {
              encoding: 'UTF8'
            }
          }
        }
      }
    ]
    outputs: [
      for hub in outputs: {
        name: hub
        properties: {
          datasource: {
            type: 'Microsoft.EventHub/EventHub'
            properties: {
              serviceBusNamespace: namespaceName
              eventHubName: hub
              partitionKey: partitionField
              authenticationMode: 'Msi'
            }
          }
          serialization: {
            type: 'Json'
            properties: {
              encoding: 'UTF8'
              format: 'LineSeparated'
            }
          }
        }
      }
    ]
    functions: [
      {
        name: 'score'
        properties: {
          type: 'Scalar'
          properties: {
            inputs: [
              {
                dataType: 'record'
              }
            ]
            output: {
              dataType: 'record'
            }
            binding: {
              type: 'Microsoft.MachineLearningServices'
              properties: {
                endpoint: '${scoringUrl}/score'
                apiKey: scoringKey
                batchSize: 1000
                numberOfParallelRequests: 1
              }
            }
          }
        }
      }
      {
        name: 'source'
        properties: {
          type: 'Scalar'
          properties: {
            inputs: [
              {
                dataType: 'any'
              }
              {
                dataType: 'any'
              }
              {
                dataType: 'any'
              }
            ]
            output: {
              dataType: 'record'
            }
            binding: {
              type: 'Microsoft.StreamAnalytics/JavascriptUdf'
              properties: {
                script: loadTextContent('../stream-analytics/source.js')
              }
            }
          }
        }
      }
    ]
  }
}

resource sender 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(namespace.id, job.id, senderRole)
  scope: namespace
  properties: {
    principalId: job.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: senderRole
  }
}

resource receiver 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(namespace.id, job.id, receiverRole)
  scope: namespace
  properties: {
    principalId: job.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: receiverRole
  }
}

output principal string = job.identity.principalId
