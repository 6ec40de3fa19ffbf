// The images of the services. The services' identities may pull, and nobody signs in with a password.
param name string
param location string
param pullerIds array

var pullRole = '7f951dda-4ed3-4680-a7ca-43fe172d538d'

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' = {
  name: '${name}images'
  location: location
  sku: {
    name: 'Basic'
  }
  properties: {
    adminUserEnabled: false
    anonymousPullEnabled: false
  }
}

resource puller 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for id in pullerIds: {
    name: guid(registry.id, id, pullRole)
    scope: registry
    properties: {
      principalId: id
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', pullRole)
    }
  }
]

output registryId string = registry.id
output name string = registry.name
output server string = registry.properties.loginServer
