// A Stream Analytics job that does what the Spark job does: reads transactions, scores them, writes to hubs of its own.
param name string
param location string
param namespaceName string
param query string
param scoringUrl string
@secure()
param scoringKey string

var outputs = ['scored', 'rejected']

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
              partitionKey: 'id'
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

output principal string = job.identity.principalId
