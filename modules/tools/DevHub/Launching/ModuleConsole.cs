using System.Text;

namespace EdgeDm.DevHub.Launching;

/// <summary>Shows the modules' lines, each behind its module's name; in colour on a terminal.</summary>
public sealed class ModuleConsole
{
    private const string Reset = "\e[0m";
    private static readonly string[] Colours = ["\e[36m", "\e[35m", "\e[33m", "\e[32m", "\e[34m", "\e[31m"];

    private readonly Lock gate = new();
    private readonly TextWriter writer;
    private readonly bool coloured;
    private readonly Dictionary<string, string> prefixes = new(StringComparer.Ordinal);
    private bool isGone;

    /// <summary>Writes there.</summary>
    /// <param name="writer">Usually standard output.</param>
    /// <param name="coloured">True on a terminal.</param>
    /// <param name="moduleIds">The modules that will write; others get a prefix of their own width.</param>
    public ModuleConsole(TextWriter writer, bool coloured, IReadOnlyCollection<string> moduleIds)
    {
        this.writer = writer;
        this.coloured = coloured;
        var width = moduleIds.Select(id => id.Length).DefaultIfEmpty().Max();
        foreach (var (index, id) in moduleIds.Index())
        {
            prefixes[id] = Prefix(id.PadRight(width), index);
        }
    }

    /// <summary>On standard output, coloured when that is a terminal and <c>NO_COLOR</c> is not set.</summary>
    public static ModuleConsole OnStandardOutput(IReadOnlyCollection<string> moduleIds) =>
        new(
            Console.Out,
            !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")),
            moduleIds
        );

    /// <summary>Told of each module and its line, whether there is a terminal or not.</summary>
    public Action<string, string>? Shown { get; set; }

    /// <summary>Shows one line.</summary>
    public void WriteLine(string moduleId, ReadOnlySpan<byte> line)
    {
        var text = Encoding.UTF8.GetString(line);
        Shown?.Invoke(moduleId, text);
        lock (gate)
        {
            if (isGone)
            {
                return;
            }
            try
            {
                writer.Write(prefixes.GetValueOrDefault(moduleId) ?? Prefix(moduleId, 0));
                writer.WriteLine(text);
            }
            catch (IOException)
            {
                isGone = true; // The terminal was closed. The logs keep all, and the modules must not block.
            }
        }
    }

    private string Prefix(string name, int index) =>
        coloured ? $"{Colours[index % Colours.Length]}{name} |{Reset} " : $"{name} | ";
}
