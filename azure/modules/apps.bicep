// The services as Container Apps: the same images as with Compose, and the azure profile as their environment.
param name string
param location string
param imageTag string
param registryServer string
param vaultUri string
param bootstrapServers string
param scoringUrl string
param mlflowUrl string
param sparkCores string
param sparkMemory string
param workspaceName string
param streamId string
param storeId string
param dashboardsId string
param scoringId string

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: workspaceName
}

resource environment 'Microsoft.App/managedEnvironments@2024-03-01' = {
  name: '${name}-apps'
  location: location
  properties: {
    appLogsConfiguration: {
      destination: 'log-analytics'
      logAnalyticsConfiguration: {
        customerId: logs.properties.customerId
        sharedKey: logs.listKeys().primarySharedKey
      }
    }
  }
}

var trackingUri = empty(mlflowUrl) ? 'https://${name}-mlflow.${environment.properties.defaultDomain}' : mlflowUrl

var jobs = [
  {
    name: 'stream'
    identity: streamId
    module: 'fraudstream.stream'
    secrets: ['kafka-sasl-password', 'scoring-key']
    values: [
      { name: 'FRAUDSTREAM_SCORING', value: 'remote' }
      { name: 'FRAUDSTREAM_SCORING_URL', value: scoringUrl }
    ]
  }
  {
    name: 'store'
    identity: storeId
    module: 'fraudstream.store'
    secrets: ['kafka-sasl-password', 'mongo-uri']
    values: []
  }
]

// One replica each: a query's checkpoint belongs to one process. The volume keeps it over restarts.
resource job 'Microsoft.App/containerApps@2024-03-01' = [
  for one in jobs: {
    name: '${name}-${one.name}'
    location: location
    identity: {
      type: 'UserAssigned'
      userAssignedIdentities: {
        '${one.identity}': {}
      }
    }
    properties: {
      environmentId: environment.id
      configuration: {
        activeRevisionsMode: 'Single'
        registries: [
          {
            server: registryServer
            identity: one.identity
          }
        ]
        secrets: map(one.secrets, secret => {
          name: secret
          keyVaultUrl: '${vaultUri}secrets/${secret}'
          identity: one.identity
        })
      }
      template: {
        containers: [
          {
            name: one.name
            image: '${registryServer}/fraudstream:${imageTag}'
            command: ['python', '-m', one.module]
            resources: {
              cpu: json(sparkCores)
              memory: sparkMemory
            }
            env: concat(
              [
                { name: 'FRAUDSTREAM_PROFILE', value: 'azure' }
                { name: 'FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS', value: bootstrapServers }
                { name: 'FRAUDSTREAM_DATA_DIR', value: '/data' }
              ],
              one.values,
              map(one.secrets, secret => {
                name: 'FRAUDSTREAM_${toUpper(replace(secret, '-', '_'))}'
                secretRef: secret
              })
            )
            volumeMounts: [
              {
                volumeName: 'data'
                mountPath: '/data'
              }
            ]
          }
        ]
        scale: {
          minReplicas: 1
          maxReplicas: 1
        }
        volumes: [
          {
            name: 'data'
            storageType: 'EmptyDir'
          }
        ]
      }
    }
  }
]

resource dashboards 'Microsoft.App/containerApps@2024-03-01' = {
  name: '${name}-dashboards'
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${dashboardsId}': {}
    }
  }
  properties: {
    environmentId: environment.id
    configuration: {
      ingress: {
        external: true
        targetPort: 8050
        allowInsecure: false
      }
      registries: [
        {
          server: registryServer
          identity: dashboardsId
        }
      ]
      secrets: [
        {
          name: 'mongo-uri'
          keyVaultUrl: '${vaultUri}secrets/mongo-uri'
          identity: dashboardsId
        }
      ]
    }
    template: {
      containers: [
        {
          name: 'dashboards'
          image: '${registryServer}/fraudstream:${imageTag}'
          command: ['python', '-m', 'fraudstream.dashboards']
          resources: {
            cpu: json('0.5')
            memory: '1Gi'
          }
          env: [
            { name: 'FRAUDSTREAM_PROFILE', value: 'azure' }
            { name: 'FRAUDSTREAM_BIND_HOST', value: '0.0.0.0' }
            { name: 'FRAUDSTREAM_MLFLOW_TRACKING_URI', value: trackingUri }
            { name: 'FRAUDSTREAM_MONGO_URI', secretRef: 'mongo-uri' }
          ]
        }
      ]
      scale: {
        minReplicas: 1
        maxReplicas: 2
      }
    }
  }
}

// MLflow's own server, inside the environment only: azureml-mlflow does not follow MLflow 3 yet (see docs/azure.md).
resource mlflow 'Microsoft.App/containerApps@2024-03-01' = if (empty(mlflowUrl)) {
  name: '${name}-mlflow'
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${scoringId}': {}
    }
  }
  properties: {
    environmentId: environment.id
    configuration: {
      ingress: {
        external: false
        targetPort: 5000
        allowInsecure: false
      }
      registries: [
        {
          server: registryServer
          identity: scoringId
        }
      ]
    }
    template: {
      containers: [
        {
          name: 'mlflow'
          image: '${registryServer}/fraudstream:${imageTag}'
          command: ['python', '-m', 'fraudstream.runtime.mlflow_server']
          resources: {
            cpu: json('0.5')
            memory: '1Gi'
          }
          env: [
            { name: 'FRAUDSTREAM_BIND_HOST', value: '0.0.0.0' }
            { name: 'FRAUDSTREAM_DATA_DIR', value: '/data' }
          ]
        }
      ]
      scale: {
        minReplicas: 1
        maxReplicas: 1
      }
    }
  }
}

output dashboardsUrl string = 'https://${dashboards.properties.configuration.ingress.fqdn}'
output mlflowUrl string = trackingUri
