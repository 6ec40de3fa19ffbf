// One identity for each service: each gets what it needs, and nothing that another one needs.
param name string
param location string

resource stream 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${name}-stream'
  location: location
}

resource store 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${name}-store'
  location: location
}

resource scoring 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${name}-scoring'
  location: location
}

resource dashboards 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${name}-dashboards'
  location: location
}

resource generator 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${name}-generator'
  location: location
}

resource training 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${name}-training'
  location: location
}

output streamId string = stream.id
output storeId string = store.id
output scoringId string = scoring.id
output dashboardsId string = dashboards.id
output trainingId string = training.id
output streamPrincipal string = stream.properties.principalId
output storePrincipal string = store.properties.principalId
output scoringPrincipal string = scoring.properties.principalId
output dashboardsPrincipal string = dashboards.properties.principalId
output trainingPrincipal string = training.properties.principalId
output generatorPrincipal string = generator.properties.principalId
output principals array = [
  stream.properties.principalId
  store.properties.principalId
  scoring.properties.principalId
  dashboards.properties.principalId
  training.properties.principalId
]
