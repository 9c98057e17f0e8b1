# Installs or upgrades the DexOps agent from the unpacked archive beside this script. Run it as an administrator.
# With DEX_ENROLMENT_SECRET in the environment the machine joins the fleet first; without it, it must have joined before.
param([string]$Server = '', [switch]$Insecure)
$ErrorActionPreference = 'Stop'

$principal = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent())
if (-not $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) { throw 'Run this as an administrator.' }

$program = Join-Path $env:ProgramFiles 'DexOps Agent'
$state = Join-Path $env:ProgramData 'DexOps Agent'
$task = 'DexOps Agent'

# Only SYSTEM and administrators may read the token, by their identifiers, which are the same in every language.
New-Item -ItemType Directory -Force -Path $state | Out-Null
& icacls.exe $state /inheritance:r /grant:r '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F' | Out-Null
if ($LASTEXITCODE -ne 0) { throw "The rights of $state could not be set." }

if ($env:DEX_ENROLMENT_SECRET) {
  if (-not $Server) { throw '-Server is missing.' }
  $arguments = @('--jitless', (Join-Path $PSScriptRoot 'agent.mjs'), 'enroll', '--server', $Server, '--state', $state)
  if ($Insecure) { $arguments += '--insecure' }
  & (Join-Path $PSScriptRoot 'node.exe') @arguments
  if ($LASTEXITCODE -ne 0) { throw 'Not installed.' }
} elseif (-not (Test-Path (Join-Path $state 'state.json'))) {
  throw 'This machine has not joined yet: set DEX_ENROLMENT_SECRET.'
}

if (Get-ScheduledTask -TaskName $task -ErrorAction SilentlyContinue) {
  Stop-ScheduledTask -TaskName $task
  Start-Sleep -Seconds 2
}
New-Item -ItemType Directory -Force -Path $program | Out-Null
foreach ($file in 'node.exe', 'agent.mjs', 'VERSION', 'uninstall.ps1') {
  Copy-Item -Force (Join-Path $PSScriptRoot $file) (Join-Path $program $file)
}
$definition = (Get-Content -Raw (Join-Path $PSScriptRoot 'dexops-agent.xml')).Replace('@PROGRAM@', $program).Replace('@STATE@', $state)
Register-ScheduledTask -Force -TaskName $task -Xml $definition | Out-Null
Start-ScheduledTask -TaskName $task
Write-Output "DexOps agent: version $((Get-Content (Join-Path $program 'VERSION')).Trim()) is installed in $program"
