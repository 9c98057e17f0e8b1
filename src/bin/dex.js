#!/usr/bin/env node
import { launch } from './launch.js';

launch('src/surfaces/cli/cli');
