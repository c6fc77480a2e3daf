import { PanelBuilder as BarGaugeBuilder } from '@grafana/grafana-foundation-sdk/bargauge';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  StackingConfigBuilder,
  StackingMode,
  VizLegendOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Dashboard as GrafanaDashboard,
  type Panel as GrafanaPanel,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** What a panel shows of a query: its PromQL, and how a series is called, with `{{label}}` for what tells it from others. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  /** What it says, and what is bad: shown when one points at the panel. */
  readonly about: string;
  /** A unit of Grafana: `s`, `percentunit`, `short`, `bytes`, `currencyUSD`, `ops` ... */
  readonly unit: string;
  /** number: the last value, large. lines, areas: over time, areas stacked. bars: the last value of each. table: a row each. */
  readonly kind: 'number' | 'lines' | 'areas' | 'bars' | 'table';
  readonly queries: readonly Query[];
  /** Columns of 24. @defaultValue 4 for a number, else 12 */
  readonly width?: number;
  /** From where a value is a warning, and from where bad. */
  readonly limits?: { readonly warning?: number; readonly bad: number };
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly about: string;
  /** Whether one chooses among workers: queries name them by `instance=~"$worker"`. */
  readonly hasWorkers?: boolean;
  readonly rows: Readonly<Record<string, readonly Panel[]>>;
}

export const panelsOf = ({ rows }: Dashboard): readonly Panel[] => Object.values(rows).flat();

const source = { type: 'prometheus', uid: '$source' };
const heights = { number: 4, lines: 8, areas: 8, bars: 8, table: 8 } as const satisfies Record<Panel['kind'], number>;

/** The dashboard in Grafana's own form, which goes into a file. */
export function grafanaForm({ uid, title, about, hasWorkers = false, rows }: Dashboard): GrafanaDashboard {
  const dashboard = new DashboardBuilder(`Captionfleet: ${title}`)
    .uid(uid)
    .description(about)
    .tags(['captionfleet'])
    .readonly()
    .refresh('10s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .link(
      new DashboardLinkBuilder('The fleet')
        .type(DashboardLinkType.Dashboards)
        .tags(['captionfleet'])
        .asDropdown(true)
        .keepTime(true),
    )
    .withVariable(new DatasourceVariableBuilder('source').label('Prometheus').type('prometheus'));
  if (hasWorkers) {
    dashboard.withVariable(
      new QueryVariableBuilder('worker')
        .label('worker')
        .datasource(source)
        .query('label_values(captionfleet_images_in_flight, instance)')
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true)
        .allValue('.+'),
    );
  }
  let id = 0;
  for (const [row, panels] of Object.entries(rows)) {
    dashboard.withRow(new RowBuilder(row).id(++id));
    for (const panel of panels) dashboard.withPanel(grafanaPanel(panel, ++id));
  }
  return dashboard.build();
}

function grafanaPanel(panel: Panel, id: number): Builder<GrafanaPanel> {
  const builder = builderOf(panel)
    .id(id)
    .title(panel.title)
    .description(panel.about)
    .unit(panel.unit)
    .datasource(source)
    .span(panel.width ?? (panel.kind === 'number' ? 4 : 12))
    .height(heights[panel.kind]);
  if (panel.limits !== undefined) builder.thresholds(thresholdsOf(panel.limits));
  for (const [index, { expr, legend }] of panel.queries.entries()) {
    const query = new DataqueryBuilder()
      .expr(expr)
      .legendFormat(legend)
      .refId(String.fromCharCode(65 + index))
      .datasource(source);
    builder.withTarget(['lines', 'areas'].includes(panel.kind) ? query.range() : query.instant());
  }
  return builder;
}

function builderOf({ kind, limits }: Panel): TimeSeriesBuilder | StatBuilder | BarGaugeBuilder | TableBuilder {
  if (kind === 'number') return new StatBuilder();
  if (kind === 'bars') return new BarGaugeBuilder();
  if (kind === 'table') return new TableBuilder();
  const lines = new TimeSeriesBuilder().min(0).legend(new VizLegendOptionsBuilder().showLegend(true));
  if (kind === 'areas') {
    return lines.fillOpacity(40).stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
  }
  if (limits !== undefined)
    lines.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  return lines.fillOpacity(8);
}

function thresholdsOf({ warning, bad }: NonNullable<Panel['limits']>): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps([
      { value: null, color: 'green' },
      ...(warning === undefined ? [] : [{ value: warning, color: 'orange' }]),
      { value: bad, color: 'red' },
    ]);
}
