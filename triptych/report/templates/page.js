const charts = allCharts();
const redraw = start(charts.flatMap(one => one.figures));
charts.forEach(one => one.listen(redraw));
