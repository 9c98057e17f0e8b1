/** Causes between the machine and what it talks to: radio, cable, gateway, line, names and VPN. */
import type { CauseDeclaration } from './causeDeclaration.ts';

const TO_OBSERVER = ['latency_ms', 'packet_loss_pct', 'jitter_ms'] as const;
const TO_INTERNET = ['internet_latency_ms', 'internet_loss_pct', 'internet_jitter_ms'] as const;
const TO_GATEWAY = ['gateway_latency_ms', 'gateway_loss_pct', 'gateway_jitter_ms'] as const;
const NAMES = ['dns_failure_pct', 'dns_ms'] as const;
const PROGRAMS = ['app_hangs', 'log_errors', 'jobs_failed'] as const;

export const NETWORK_CAUSES: readonly CauseDeclaration[] = [
  {
    cause: 'wifi_weak',
    title: 'The Wi-Fi signal is weak',
    shownBy: ['wifi_signal_dbm'],
    bringsAbout: [
      'wifi_rate_mbps',
      'link_errors_per_min',
      'vpn_up',
      ...TO_GATEWAY,
      ...TO_INTERNET,
      ...TO_OBSERVER,
      ...NAMES,
      ...PROGRAMS,
    ],
    weight: 0.95,
    advice: 'Move nearer to the access point or use a cable; where many are affected, check the access point.',
    question: 'weak Wi-Fi signal, slow and dropping',
    alerts: ['WeakWifi', 'WifiSignalWeak'],
  },
  {
    cause: 'wifi_slow',
    title: 'The Wi-Fi link is slow',
    shownBy: ['wifi_rate_mbps'],
    bringsAbout: [...TO_GATEWAY, ...TO_INTERNET, ...TO_OBSERVER, 'dns_ms', ...PROGRAMS],
    weight: 0.8,
    advice: 'Reconnect on the 5 GHz band; check for a crowded channel and for the newest adapter driver.',
    question: 'Wi-Fi slow, low link rate',
    alerts: ['WifiSignalWeak', 'WeakWifi'],
  },
  {
    cause: 'link_faulty',
    title: 'The cable, dock or adapter makes errors',
    shownBy: ['link_errors_per_min'],
    bringsAbout: ['vpn_up', ...TO_GATEWAY, ...TO_INTERNET, ...TO_OBSERVER, ...NAMES, ...PROGRAMS],
    weight: 0.95,
    advice: 'Try another cable, port or dock.',
    question: 'link errors, broken cable, dock or network adapter',
    alerts: ['LinkErrors', 'NodeNetworkReceiveErrs'],
  },
  {
    cause: 'local_network',
    title: 'The local network is slow or loses packets',
    shownBy: TO_GATEWAY,
    bringsAbout: ['vpn_up', ...TO_INTERNET, ...TO_OBSERVER, ...NAMES, ...PROGRAMS],
    weight: 0.97,
    advice: 'Restart the router or access point, try a cable; where many are affected, check the network of the site.',
    question: 'packet loss and latency to the gateway, local network',
    alerts: ['PacketLoss', 'HighLatency'],
  },
  {
    cause: 'internet_line',
    title: 'The line to the internet is slow or loses packets',
    shownBy: TO_INTERNET,
    bringsAbout: ['vpn_up', ...TO_OBSERVER, ...NAMES, ...PROGRAMS],
    weight: 0.97,
    advice: 'The way to the gateway is in order: check the load of the line and ask the provider.',
    question: 'internet slow, latency and loss beyond the gateway',
    alerts: ['InternetUnreachable', 'HighLatency', 'PacketLoss'],
  },
  {
    cause: 'vpn_down',
    title: 'The VPN is down',
    shownBy: ['vpn_up'],
    bringsAbout: [...TO_OBSERVER, ...NAMES, ...PROGRAMS, 'clock_offset_s'],
    weight: 0.95,
    advice: 'Connect the VPN again; when it fails, check the login and the gateway of the VPN.',
    question: 'VPN does not connect, VPN down',
    alerts: ['VpnDown'],
  },
  {
    cause: 'path_to_company',
    title: 'The way to the company network is slow or loses packets',
    shownBy: TO_OBSERVER,
    bringsAbout: [...NAMES, ...PROGRAMS],
    weight: 0.95,
    advice: 'Check the VPN and the links between the sites; local network and internet line were held against it.',
    question: 'high latency or packet loss to the company network, VPN slow',
    alerts: ['HighLatency', 'PacketLoss'],
  },
  {
    cause: 'dns_failing',
    title: 'Names are not resolved, or only slowly',
    shownBy: NAMES,
    bringsAbout: PROGRAMS,
    weight: 1,
    advice: 'Flush the DNS cache; check which name servers the machine uses and whether they answer.',
    question: 'DNS failures, names do not resolve',
    alerts: ['DnsFailure'],
  },
];
