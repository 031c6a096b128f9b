namespace EdgeDm.Cli;

/// <summary>Columns of text, aligned by spaces: readable, and still food for <c>cut</c> and <c>awk</c>.</summary>
internal static class TextTable
{
    private const int Gap = 2;

    public static void Write(Terminal terminal, IReadOnlyList<string> head, IEnumerable<IReadOnlyList<string>> rows)
    {
        IReadOnlyList<IReadOnlyList<string>> all = [head, .. rows];
        var widths = head.Select((_, column) => all.Max(row => row[column].Length)).ToArray();
        foreach (var row in all)
        {
            terminal.Say(string.Concat(row.Select((cell, column) => cell.PadRight(widths[column] + Gap))).TrimEnd());
        }
    }
}
