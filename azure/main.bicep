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

@description('The field whose text is the key of a record, for the Stream Analytics job; deploy.sh takes it from the project.')
param partitionField string = 'id'

@description('The query of the Stream Analytics job; deploy.sh takes the project\'s own, if it has one.')
param query string = loadTextContent('stream-analytics/fraud.asaql')

@description('Cores of each Spark job.')
param sparkCores string

@description('Memory of each Spark job.')
param sparkMemory string

@description('Days for which logs are kept.')
@minValue(30)
@maxValue(730)
param logDays int

@description('Run the Stream Analytics job in place of the stream job. It needs an Azure ML endpoint: scoringUrl.')
param streamAnalytics bool

@description('Events a second that are expected; the linter compares them with the throughput units.')
@minValue(1)
param expectedEventsPerSecond int

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
    hubs: definitions.hubs
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

module analytics 'modules/analytics.bicep' = if (streamAnalytics) {
  name: 'analytics'
  params: {
    name: name
    location: location
    namespaceName: eventhubs.outputs.namespaceName
    query: query
    partitionField: partitionField
    scoringUrl: scoringUrl
    scoringKey: scoringKey
  }
}

output bootstrapServers string = eventhubs.outputs.bootstrapServers
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
