# Removes the DexOps agent: its token ends at the server, then task, program and state go. Run it as an administrator.
$ErrorActionPreference = 'Stop'
$program = Join-Path $env:ProgramFiles 'DexOps Agent'
$state = Join-Path $env:ProgramData 'DexOps Agent'
$task = 'DexOps Agent'

if (Get-ScheduledTask -TaskName $task -ErrorAction SilentlyContinue) {
  Stop-ScheduledTask -TaskName $task
  Unregister-ScheduledTask -TaskName $task -Confirm:$false
  Start-Sleep -Seconds 2
}
if ((Test-Path (Join-Path $state 'state.json')) -and (Test-Path (Join-Path $program 'node.exe'))) {
  & (Join-Path $program 'node.exe') --jitless (Join-Path $program 'agent.mjs') sign-off --state $state
  if ($LASTEXITCODE -ne 0) { Write-Warning 'The server was not reached; deregister the machine there.' }
}
foreach ($folder in $state, $program) { if (Test-Path $folder) { Remove-Item -Recurse -Force $folder } }
Write-Output 'DexOps agent: removed'
