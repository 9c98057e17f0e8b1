/** The one PowerShell script that measures a Windows machine, for this machine and over SSH alike. */

/** Parts of the script that run when they are due; the order is that of the output. */
export const WINDOWS_PARTS = ['system', 'faults', 'currency'] as const;
export type WindowsPart = (typeof WINDOWS_PARTS)[number];

/**
 * Runs what comes on standard input. As an encoded command it holds no quotes, so cmd.exe, PowerShell and bash as login
 * shells hand it on alike; it is short enough for cmd.exe's 8,191 characters, which the script itself is not.
 */
const BOOTSTRAP = '$ProgressPreference="SilentlyContinue"; & ([ScriptBlock]::Create($input -join [char]10))';

/** Arguments of powershell.exe; the script goes to its standard input. */
export const POWERSHELL_ARGS = [
  '-NoProfile',
  '-NonInteractive',
  '-EncodedCommand',
  Buffer.from(BOOTSTRAP, 'utf16le').toString('base64'),
];

/** How much of the past is read. */
interface ScriptSpan {
  /** Seconds of log whose errors count. */
  logSpanS: number;
  due: readonly WindowsPart[];
}

/** The script's text. Nothing but two checked values is put into it. */
export function windowsScript({ logSpanS, due }: ScriptSpan): string {
  const parts = WINDOWS_PARTS.filter((part) => due.includes(part));
  return `$span = ${Math.trunc(logSpanS)}\n$due = @(${parts.map((part) => `'${part}'`).join(',')})\n${SCRIPT}`;
}

/**
 * Prints one line a section: its name, a blank, JSON; a section that fails prints its error instead, so that one broken
 * WMI class costs nothing else. Event log queries are bounded by number; sizes are bytes, times Unix seconds.
 */
const SCRIPT = String.raw`
$ErrorActionPreference = 'Stop'
[Console]::OutputEncoding = New-Object System.Text.UTF8Encoding $false
function Section($name, $block) {
  try { $value = & $block } catch { $value = @{ error = ($_.Exception.Message -split [Environment]::NewLine)[0] } }
  [Console]::Out.WriteLine('@@' + $name + ' ' + (ConvertTo-Json -InputObject $value -Compress -Depth 4))
  [Console]::Out.Flush()
}
function Unix($time) { if ($time) { [int64][Math]::Floor(($time.ToUniversalTime() - [datetime]'1970-01-01').TotalSeconds) } }
function Events($filter, $max) {
  try { ,@(Get-WinEvent -FilterHashtable $filter -MaxEvents $max) }
  catch { if ($_.FullyQualifiedErrorId -like 'NoMatchingEventsFound*') { ,@() } else { throw } }
}
function Rows($class, $namespace = 'root/cimv2') { ,@(Get-CimInstance -ClassName $class -Namespace $namespace -OperationTimeoutSec 8) }

if ($due -contains 'system') {
  Section 'os' {
    $os = (Rows Win32_OperatingSystem)[0]
    @{ name = $os.Caption; bootedAt = Unix $os.LastBootUpTime; memoryKb = $os.TotalVisibleMemorySize; freeKb = $os.FreePhysicalMemory
       commitLimitKb = $os.TotalVirtualMemorySize; commitFreeKb = $os.FreeVirtualMemory }
  }
  Section 'cpu' { @{ busyPct = ((Rows Win32_Processor) | Measure-Object LoadPercentage -Average).Average } }
  Section 'volumes' { ,@((Rows Win32_LogicalDisk) | ForEach-Object { @{ volume = $_.DeviceID; driveType = $_.DriveType
    filesystem = $_.FileSystem; sizeBytes = $_.Size; freeBytes = $_.FreeSpace; label = $_.VolumeName } }) }
  Section 'diskActivity' { ,@((Rows Win32_PerfRawData_PerfDisk_PhysicalDisk) | Where-Object Name -ne '_Total' | ForEach-Object {
    @{ disk = $_.Name; requests = $_.AvgDisksecPerTransfer_Base; requestTicks = $_.AvgDisksecPerTransfer; ticksPerS = $_.Frequency_PerfTime
       idle100ns = $_.PercentIdleTime; total100ns = $_.PercentIdleTime_Base } }) }
  Section 'links' { ,@((Rows Win32_PerfRawData_Tcpip_NetworkInterface) | ForEach-Object { @{ link = $_.Name; packets = $_.PacketsPersec
    errors = $_.PacketsReceivedErrors + $_.PacketsOutboundErrors } }) }
  Section 'adapters' { ,@((Rows Win32_NetworkAdapter) | Where-Object NetConnectionStatus -eq 2 | ForEach-Object { @{ name = $_.NetConnectionID
    description = $_.Description } }) }
  Section 'services' { ,@((Rows Win32_Service) | ForEach-Object { @{ name = $_.Name; state = $_.State } }) }
  Section 'battery' {
    $status = Rows BatteryStatus root/wmi; $full = Rows BatteryFullChargedCapacity root/wmi
    $design = Rows BatteryStaticData root/wmi
    try { $cycles = Rows BatteryCycleCount root/wmi } catch { $cycles = @() }
    ,@($full | ForEach-Object { $name = $_.InstanceName
      @{ name = $name; full = $_.FullChargedCapacity
         design = ($design | Where-Object InstanceName -eq $name | Select-Object -First 1).DesignedCapacity
         cycles = ($cycles | Where-Object InstanceName -eq $name | Select-Object -First 1).CycleCount
         plugged = ($status | Where-Object InstanceName -eq $name | Select-Object -First 1).PowerOnline } })
  }
  Section 'thermal' { ,@((Rows Win32_PerfFormattedData_Counters_ThermalZoneInformation) | ForEach-Object { @{ zone = $_.Name
    deciKelvin = $_.HighPrecisionTemperature; passiveLimitPct = $_.PercentPassiveLimit } }) }
  Section 'wifi' { @{ text = ((& netsh.exe wlan show interfaces) -join [Environment]::NewLine) } }
  Section 'reboot' { @{
    servicing = Test-Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending'
    update = Test-Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired' } }
  Section 'clock' { @{ text = ((& w32tm.exe /query /status /verbose) -join [Environment]::NewLine) } }
  Section 'logErrors' { @{ count = (Events @{ LogName = 'System', 'Application'; Level = 1, 2; StartTime = (Get-Date).AddSeconds(-$span) } 1000).Count } }
  Section 'processes' { ,@(Get-Process | Where-Object WorkingSet64 -gt 20MB | Select-Object -First 400 | ForEach-Object { @{ pid = $_.Id; name = $_.ProcessName
    cpuS = $(if ($_.TotalProcessorTime) { $_.TotalProcessorTime.TotalSeconds } else { 0 }); memoryBytes = $_.WorkingSet64 } }) }
}
if ($due -contains 'faults') {
  $day = (Get-Date).AddDays(-1)
  Section 'crashes' { ,@((Events @{ LogName = 'Application'; ProviderName = 'Application Error'; Id = 1000; StartTime = $day } 500) | ForEach-Object {
    @{ program = [string]$_.Properties[0].Value; at = Unix $_.TimeCreated } }) }
  Section 'hangs' { ,@((Events @{ LogName = 'Application'; ProviderName = 'Application Hang'; Id = 1002; StartTime = $day } 500) | ForEach-Object {
    @{ program = [string]$_.Properties[0].Value; at = Unix $_.TimeCreated } }) }
  Section 'restarts' { ,@((Events @{ LogName = 'System'; Id = 41, 1001, 6008; StartTime = (Get-Date).AddDays(-30) } 100) |
    Where-Object ProviderName -in 'Microsoft-Windows-Kernel-Power', 'Microsoft-Windows-WER-SystemErrorReporting', 'EventLog' |
    ForEach-Object { @{ id = $_.Id; at = Unix $_.TimeCreated } }) }
  Section 'boot' {
    $last = (Events @{ LogName = 'Microsoft-Windows-Diagnostics-Performance/Operational'; Id = 100 } 1)[0]
    if ($last) { $data = ([xml]$last.ToXml()).Event.EventData.Data
      @{ bootMs = ($data | Where-Object Name -eq 'BootTime').'#text'; at = Unix $last.TimeCreated } } else { @{} }
  }
  Section 'diskHealth' { ,@(Get-PhysicalDisk | ForEach-Object { $wear = $null
    try { $wear = ($_ | Get-StorageReliabilityCounter).Wear } catch { }
    @{ disk = $_.FriendlyName; health = [string]$_.HealthStatus; media = [string]$_.MediaType; wearPct = $wear } }) }
}
[Console]::Out.WriteLine('@@measured {}')
if ($due -contains 'currency') {
  Section 'updates' {
    $searcher = (New-Object -ComObject Microsoft.Update.Session).CreateUpdateSearcher()
    $searcher.Online = $false
    $found = @($searcher.Search("IsInstalled=0 and IsHidden=0 and Type='Software'").Updates)
    $security = @($found | Where-Object { $_.MsrcSeverity -or (@($_.Categories | ForEach-Object { $_.CategoryID }) -contains '0fa1201d-4330-4fa8-8ae9-b877473b6441') })
    $done = @($searcher.QueryHistory(0, 50) | Where-Object { $_.Operation -eq 1 -and $_.ResultCode -eq 2 })
    @{ updates = $found.Count; securityUpdates = $security.Count; lastInstalledAt = Unix ($done | Select-Object -First 1).Date }
  }
}
[Console]::Out.WriteLine('@@end {}')
`;
