using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace RenderFarm.Simulation.Results;

/// <summary>Lines over the hours of a run, one for each queue.</summary>
internal static class QueuePlot
{
    private const int Width = 900;
    private const int Height = 400;

    public static void Save(
        string file,
        string title,
        string unit,
        IEnumerable<(string Name, IEnumerable<(double At, double Value)> Points)> lines
    )
    {
        var plot = new PlotModel { Title = title, TitleFontSize = 14, Background = OxyColors.White };
        plot.Legends.Add(new Legend { LegendPosition = LegendPosition.LeftTop });
        plot.Axes.Add(new LinearAxis { Position = AxisPosition.Bottom, Title = "hours", Minimum = 0 });
        plot.Axes.Add(new LinearAxis { Position = AxisPosition.Left, Title = unit, Minimum = 0 });
        foreach (var (name, points) in lines)
        {
            var line = new LineSeries { Title = name };
            line.Points.AddRange(points.Select(point => new DataPoint(Math.Round(point.At / 3_600, 3), Math.Round(point.Value, 2))));
            plot.Series.Add(line);
        }

        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        using var stream = File.Create(file);
        new SvgExporter { Width = Width, Height = Height }.Export(plot, stream);
    }
}
