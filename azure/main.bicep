// Everything that Fraudstream needs in one resource group: azure/deploy.sh deploys it.
// Hubs and collections come from definitions.json, which the code's own tables are written to.
targetScope = 'resourceGroup'

@description('Prefix of all names: 3 to 12 lower-case letters and digits, unique in Azure together with the suffix.')
@minLength(3)
@maxLength(12)
param prefix string

@description('Region of all resources.')
param location string = resourceGroup().location

@description('Tier of the Event Hubs namespace. Basic has no Kafka endpoint.')
@allowed(['Standard', 'Premium'])
param eventHubsSku string

@description('Throughput units (Standard) or processing units (Premium) to begin with.')
@minValue(1)
@maxValue(40)
param throughputUnits int

@description('Throughput units up to which the namespace inflates by itself; Standard only.')
@minValue(0)
@maxValue(40)
param mostThroughputUnits int

@description('Request units a second up to which each collection scales by itself.')
@minValue(1000)
param mostRequestUnits int

@description('Version of MongoDB that the account speaks.')
@allowed(['4.2', '7.0'])
param mongoVersion string

@description('Tag of the images in the container registry.')
param imageTag string

@description('The project, by its name among those in the images: deploy.sh puts the folder that FRAUDSTREAM_PROJECT names there.')
param project string = 'payments'

@description('The event hubs that the project\'s query writes to beside those of definitions.json; deploy.sh takes them from its outputs.')
param furtherHubs array = []

@description('Cores of each Spark job.')
param sparkCores string

@description('Memory of each Spark job.')
param sparkMemory string

@description('Days for which logs are kept.')
@minValue(30)
@maxValue(730)
param logDays int

@description('Run no stream job: deploy.sh deploys the project\'s query as a Stream Analytics job, which needs an Azure ML endpoint.')
param streamAnalytics bool

@description('Units of an IoT hub (S1: 400,000 messages a day each) whose devices send to the topic transactions; 0: no hub.')
@minValue(0)
@maxValue(200)
param iotHubUnits int = 0

@description('Tier of the IoT hub. B1 to B3 have no twins, methods, messages to devices or edge devices.')
@allowed(['F1', 'B1', 'B2', 'B3', 'S1', 'S2', 'S3'])
param iotHubSku string = 'S1'

@description('Partitions of the IoT hub\'s built-in endpoint, which gets what no route takes; they cannot be changed later.')
@minValue(2)
@maxValue(32)
param iotHubPartitions int = 4

@description('Days for which the built-in endpoint keeps messages.')
@minValue(1)
@maxValue(7)
param iotHubRetentionDays int = 1

@description('Devices that are expected; the linter compares what they do with the units.')
@minValue(0)
param expectedDevices int = 100

@description('Messages a minute to devices that are expected.')
@minValue(0)
param expectedCommandsPerMinute int = 0

@description('Events a second that are expected; the linter compares them with the throughput units.')
@minValue(1)
param expectedEventsPerSecond int

@description('How many of them devices send; the linter compares them with the units of the IoT hub.')
@minValue(0)
param expectedDeviceEventsPerSecond int = expectedEventsPerSecond

@description('Key of the online endpoint, or of the scoring container; deploy.sh passes it on.')
@secure()
param scoringKey string

@description('Address of an Azure ML online endpoint; empty: the scoring container that these templates run.')
param scoringUrl string = ''

@description('Who signs in to the dashboards.')
param dashboardUser string

@description('Password of the dashboards; deploy.sh makes one.')
@secure()
param dashboardPassword string

@description('Run the services. Their images have to be in the registry: deploy.sh builds them in between.')
param services bool = true

@description('Address of the MLflow server; empty: the one that these templates run.')
param mlflowUrl string = ''

var suffix = take(uniqueString(resourceGroup().id), 6)
var name = '${prefix}${suffix}'
var definitions = loadJsonContent('definitions.json')
// As large as the hub of scored events, which stands second.
var outputHubs = [
  for hub in furtherHubs: {
    name: hub
    partitions: definitions.hubs[1].partitions
    retentionHours: definitions.hubs[1].retentionHours
  }
]

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    name: name
    location: location
    logDays: logDays
  }
}

module identities 'modules/identities.bicep' = {
  name: 'identities'
  params: {
    name: name
    location: location
  }
}

module eventhubs 'modules/eventhubs.bicep' = {
  name: 'eventhubs'
  params: {
    name: name
    location: location
    sku: eventHubsSku
    units: throughputUnits
    mostUnits: mostThroughputUnits
    hubs: concat(definitions.hubs, outputHubs)
    senderIds: [
      identities.outputs.streamPrincipal
      identities.outputs.storePrincipal
      identities.outputs.dashboardsPrincipal
      identities.outputs.generatorPrincipal
    ]
    receiverIds: [
      identities.outputs.streamPrincipal
      identities.outputs.storePrincipal
      identities.outputs.dashboardsPrincipal
    ]
    workspaceId: monitoring.outputs.workspaceId
  }
}

module iothub 'modules/iothub.bicep' = if (iotHubUnits > 0) {
  name: 'iothub'
  params: {
    name: name
    location: location
    sku: iotHubSku
    units: iotHubUnits
    partitions: iotHubPartitions
    retentionDays: iotHubRetentionDays
    namespaceName: eventhubs.outputs.namespaceName
    hubName: 'transactions'
    workspaceId: monitoring.outputs.workspaceId
  }
}

module cosmos 'modules/cosmos.bicep' = {
  name: 'cosmos'
  params: {
    name: name
    location: location
    mongoVersion: mongoVersion
    collections: definitions.collections
    mostRequestUnits: mostRequestUnits
    workspaceId: monitoring.outputs.workspaceId
  }
}

module registry 'modules/registry.bicep' = {
  name: 'registry'
  params: {
    name: name
    location: location
    pullerIds: identities.outputs.principals
  }
}

module vault 'modules/keyvault.bicep' = {
  name: 'vault'
  params: {
    name: name
    location: location
    namespaceName: eventhubs.outputs.namespaceName
    accountName: cosmos.outputs.accountName
    scoringKey: scoringKey
    dashboardPassword: dashboardPassword
    eventsReaders: [
      identities.outputs.streamPrincipal
      identities.outputs.storePrincipal
      identities.outputs.dashboardsPrincipal
    ]
    documentsReaders: [
      identities.outputs.storePrincipal
      identities.outputs.dashboardsPrincipal
      identities.outputs.trainingPrincipal
    ]
    scoringReaders: [
      identities.outputs.streamPrincipal
      identities.outputs.scoringPrincipal
      identities.outputs.dashboardsPrincipal
    ]
    dashboardReaders: [identities.outputs.dashboardsPrincipal]
    workspaceId: monitoring.outputs.workspaceId
  }
}

module learning 'modules/learning.bicep' = {
  name: 'learning'
  params: {
    name: name
    location: location
    vaultId: vault.outputs.vaultId
    registryId: registry.outputs.registryId
    insightsId: monitoring.outputs.insightsId
    scoringIdentityId: identities.outputs.scoringId
    scoringPrincipal: identities.outputs.scoringPrincipal
  }
}

module apps 'modules/apps.bicep' = if (services) {
  name: 'apps'
  params: {
    name: name
    location: location
    imageTag: imageTag
    project: project
    registryServer: registry.outputs.server
    vaultUri: vault.outputs.vaultUri
    bootstrapServers: eventhubs.outputs.bootstrapServers
    scoringUrl: scoringUrl
    mlflowUrl: mlflowUrl
    dashboardUser: dashboardUser
    streamAnalytics: streamAnalytics
    sparkCores: sparkCores
    sparkMemory: sparkMemory
    workspaceName: monitoring.outputs.workspaceName
    streamId: identities.outputs.streamId
    storeId: identities.outputs.storeId
    dashboardsId: identities.outputs.dashboardsId
    scoringId: identities.outputs.scoringId
    trainingId: identities.outputs.trainingId
  }
}

output name string = name
output namespaceName string = eventhubs.outputs.namespaceName
output bootstrapServers string = eventhubs.outputs.bootstrapServers
output iotHubHost string = iotHubUnits > 0 ? iothub.outputs.hostName : ''
output mongoHost string = cosmos.outputs.host
output vaultUri string = vault.outputs.vaultUri
output registryServer string = registry.outputs.server
output registryName string = registry.outputs.name
output workspace string = learning.outputs.workspaceName
output dashboardsUrl string = services ? apps.outputs.dashboardsUrl : ''
output mlflowUrl string = services ? apps.outputs.mlflowUrl : ''
output scoringUrl string = services ? apps.outputs.scoringUrl : ''
output trainingJob string = services ? apps.outputs.trainingJob : ''
output expectedEventsPerSecond int = expectedEventsPerSecond
output expectedDevices object = {
  number: expectedDevices
  eventsPerSecond: expectedDeviceEventsPerSecond
  commandsPerMinute: expectedCommandsPerMinute
}
