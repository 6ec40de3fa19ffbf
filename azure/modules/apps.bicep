// The services as Container Apps: the images that Compose runs, with the azure profile as their environment.
param name string
param location string
param imageTag string
@description('The project, by its name among those in the images.')
param project string
param registryServer string
param vaultUri string
param bootstrapServers string
@description('Address of an Azure ML online endpoint; empty: the scoring container that runs here.')
param scoringUrl string
@description('Address of an MLflow server; empty: the one that runs here.')
param mlflowUrl string
param dashboardUser string
@description('Whether a Stream Analytics job stands in for the stream job.')
param streamAnalytics bool
param sparkCores string
param sparkMemory string
param workspaceName string
param streamId string
param storeId string
param dashboardsId string
param scoringId string
param trainingId string

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

// What outlives a container: the jobs' checkpoints, the registry's database and models.
var keepers = ['stream', 'store', 'mlflow']

resource storage 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: '${take(replace(name, '-', ''), 19)}state'
  location: location
  kind: 'StorageV2'
  sku: {
    name: 'Standard_ZRS'
  }
  properties: {
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    allowBlobPublicAccess: false
  }
}

resource shares 'Microsoft.Storage/storageAccounts/fileServices@2023-05-01' = {
  parent: storage
  name: 'default'
}

resource share 'Microsoft.Storage/storageAccounts/fileServices/shares@2023-05-01' = [
  for keeper in keepers: {
    parent: shares
    name: keeper
    properties: {
      shareQuota: 32
    }
  }
]

resource volume 'Microsoft.App/managedEnvironments/storages@2024-03-01' = [
  for (keeper, index) in keepers: {
    parent: environment
    name: keeper
    properties: {
      azureFile: {
        accountName: storage.name
        accountKey: storage.listKeys().keys[0].value
        shareName: share[index].name
        accessMode: 'ReadWrite'
      }
    }
  }
]

var domain = environment.properties.defaultDomain
var trackingUri = empty(mlflowUrl) ? 'https://${name}-mlflow.internal.${domain}' : mlflowUrl
var scorer = empty(scoringUrl) ? 'https://${name}-scoring.internal.${domain}' : scoringUrl

var profile = [
  { name: 'FRAUDSTREAM_PROFILE', value: 'azure' }
  { name: 'FRAUDSTREAM_PROJECT', value: project }
  { name: 'FRAUDSTREAM_DATA_DIR', value: '/data' }
]
var listening = [
  { name: 'FRAUDSTREAM_BIND_HOST', value: '0.0.0.0' }
]
var events = [
  { name: 'FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS', value: bootstrapServers }
  { name: 'FRAUDSTREAM_KAFKA_SASL_PASSWORD', secretRef: 'kafka-sasl-password' }
]
var documents = [
  { name: 'FRAUDSTREAM_MONGO_URI', secretRef: 'mongo-uri' }
]
var models = [
  { name: 'FRAUDSTREAM_MLFLOW_TRACKING_URI', value: trackingUri }
]
var scoringAccess = [
  { name: 'FRAUDSTREAM_SCORING_URL', value: scorer }
  { name: 'FRAUDSTREAM_SCORING_KEY', secretRef: 'scoring-key' }
]
var login = [
  { name: 'FRAUDSTREAM_DASHBOARD_URL', value: 'https://${name}-dashboards.${domain}' }
  { name: 'FRAUDSTREAM_DASHBOARD_AUTH', value: 'basic' }
  { name: 'FRAUDSTREAM_DASHBOARD_USER', value: dashboardUser }
  { name: 'FRAUDSTREAM_DASHBOARD_PASSWORD', secretRef: 'dashboard-password' }
]

// Apart from the services: a loop runs over what is known beforehand, and addresses are not.
var environments = {
  stream: concat(profile, events, scoringAccess)
  store: concat(profile, events, documents)
  dashboards: concat(profile, listening, events, documents, models, scoringAccess, login)
  scoring: concat(profile, listening, models, scoringAccess)
  mlflow: concat(profile, listening, models)
}

// A query's checkpoint belongs to one process and the registry's database to one server: one replica each.
var streamService = {
  name: 'stream'
  identity: streamId
  cores: sparkCores
  memory: sparkMemory
  most: 1
  ingress: null
  keeps: true
  secrets: ['kafka-sasl-password', 'scoring-key']
}
var storeService = {
  name: 'store'
  identity: storeId
  cores: sparkCores
  memory: sparkMemory
  most: 1
  ingress: null
  keeps: true
  secrets: ['kafka-sasl-password', 'mongo-uri']
}
var dashboardsService = {
  name: 'dashboards'
  identity: dashboardsId
  cores: '0.5'
  memory: '1Gi'
  most: 2
  ingress: { external: true, targetPort: 8050, allowInsecure: false }
  keeps: false
  secrets: ['kafka-sasl-password', 'mongo-uri', 'scoring-key', 'dashboard-password']
}
var scoringService = {
  name: 'scoring'
  identity: scoringId
  cores: '1'
  memory: '2Gi'
  most: 4
  ingress: { external: false, targetPort: 8000, allowInsecure: false }
  keeps: false
  secrets: ['scoring-key']
}
// MLflow's own server, inside the environment only: azureml-mlflow does not follow MLflow 3 yet (docs/how-to/azure.md).
var mlflowService = {
  name: 'mlflow'
  identity: scoringId
  cores: '0.5'
  memory: '1Gi'
  most: 1
  ingress: { external: false, targetPort: 5000, allowInsecure: false }
  keeps: true
  secrets: []
}

var streaming = streamAnalytics ? [] : [streamService]
var ownScoring = empty(scoringUrl) ? [scoringService] : []
var ownRegistry = empty(mlflowUrl) ? [mlflowService] : []
var services = concat([storeService, dashboardsService], streaming, ownScoring, ownRegistry)

// The images run as user 10001; SQLite's locks are the server's own business (nobrl).
var owner = 'uid=10001,gid=10001,dir_mode=0700,file_mode=0600,mfsymlinks,nobrl'

resource service 'Microsoft.App/containerApps@2024-03-01' = [
  for one in services: {
    name: '${name}-${one.name}'
    location: location
    dependsOn: [volume]
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
        ingress: one.ingress
        registries: [
          {
            server: registryServer
            identity: one.identity
          }
        ]
        secrets: [
          for secret in one.secrets: {
            name: secret
            keyVaultUrl: '${vaultUri}secrets/${secret}'
            identity: one.identity
          }
        ]
      }
      template: {
        containers: [
          {
            name: one.name
            image: '${registryServer}/fraudstream/${one.name}:${imageTag}'
            resources: {
              cpu: json(one.cores)
              memory: one.memory
            }
            env: environments[one.name]
            volumeMounts: one.keeps ? [{ volumeName: 'data', mountPath: '/data' }] : []
          }
        ]
        scale: {
          minReplicas: 1
          maxReplicas: one.most
        }
        volumes: one.keeps ? [{ name: 'data', storageType: 'AzureFile', storageName: one.name, mountOptions: owner }] : []
      }
    }
  }
]

// `az containerapp job start` trains on the stored labels and registers the version.
resource training 'Microsoft.App/jobs@2024-03-01' = {
  name: '${name}-train'
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${trainingId}': {}
    }
  }
  properties: {
    environmentId: environment.id
    configuration: {
      triggerType: 'Manual'
      replicaTimeout: 3600
      replicaRetryLimit: 1
      manualTriggerConfig: {
        parallelism: 1
        replicaCompletionCount: 1
      }
      registries: [
        {
          server: registryServer
          identity: trainingId
        }
      ]
      secrets: [
        {
          name: 'mongo-uri'
          keyVaultUrl: '${vaultUri}secrets/mongo-uri'
          identity: trainingId
        }
      ]
    }
    template: {
      containers: [
        {
          name: 'train'
          image: '${registryServer}/fraudstream/bootstrap:${imageTag}'
          args: ['fraudstream', 'train']
          resources: {
            cpu: json(sparkCores)
            memory: sparkMemory
          }
          env: concat(profile, documents, models)
        }
      ]
    }
  }
}

output dashboardsUrl string = 'https://${name}-dashboards.${domain}'
output mlflowUrl string = trackingUri
output scoringUrl string = scorer
output trainingJob string = training.name
