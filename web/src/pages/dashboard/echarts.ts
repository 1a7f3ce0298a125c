// The parts of ECharts that the dashboard draws with, and no more; a chunk of
// its own.
import { BarChart, GaugeChart, LineChart, PieChart } from 'echarts/charts';
import { GridComponent, TooltipComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

use([LineChart, BarChart, PieChart, GaugeChart, GridComponent, TooltipComponent, CanvasRenderer]);

export { init };
