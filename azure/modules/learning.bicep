// The Azure ML workspace. The endpoint and its deployment are YAML (azure/azureml/), which deploy.sh applies.
param name string
param location string
param vaultId string
param registryId string
param insightsId string
param scoringIdentityId string
param scoringPrincipal string

var dataScientistRole = 'f6c7c914-8db3-469d-8ca1-694a8f32e121'

resource storage 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: '${take(replace(name, '-', ''), 17)}models'
  location: location
  kind: 'StorageV2'
  sku: {
    name: 'Standard_ZRS'
  }
  properties: {
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    allowBlobPublicAccess: false
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: 'Deny'
    }
  }
}

resource workspace 'Microsoft.MachineLearningServices/workspaces@2024-04-01' = {
  name: '${name}-learning'
  location: location
  identity: {
    type: 'SystemAssigned,UserAssigned'
    userAssignedIdentities: {
      '${scoringIdentityId}': {}
    }
  }
  properties: {
    friendlyName: 'Fraudstream'
    storageAccount: storage.id
    keyVault: vaultId
    containerRegistry: registryId
    applicationInsights: insightsId
    primaryUserAssignedIdentity: scoringIdentityId
  }
}

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(workspace.id, scoringPrincipal, dataScientistRole)
  scope: workspace
  properties: {
    principalId: scoringPrincipal
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', dataScientistRole)
  }
}

output workspaceName string = workspace.name
