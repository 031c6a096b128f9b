using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace EdgeDm.DevHub.Tests;

/// <summary>README.md beside this file says what the dev hub does and which test shows it.</summary>
public sealed partial class BehaviourListTests
{
    private const int LeastRows = 100;
    private const string Head = "| behaviour | profile | test |";

    [Fact]
    public void List_NamesTestsThatExist()
    {
        var tests = typeof(BehaviourListTests)
            .Assembly.GetTypes()
            .SelectMany(type => type.GetMethods().Where(IsTest).Select(method => $"{type.Name}.{method.Name}"))
            .Concat(OfOfficialClients())
            .ToHashSet(StringComparer.Ordinal);
        var rows = File.ReadAllLines(FileBeside("README.md"))
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal) && line != Head)
            .ToList();
        rows.Count.ShouldBeGreaterThan(LeastRows);
        rows.Where(row => !Row().IsMatch(row)).ShouldBeEmpty();
        rows.Select(row => Row().Match(row).Groups["test"].Value).Where(test => !tests.Contains(test)).ShouldBeEmpty();
    }

    private static bool IsTest(System.Reflection.MethodInfo method) =>
        method.GetCustomAttributes(typeof(FactAttribute), inherit: true).Length > 0;

    // They are built by themselves, so it is their text that is looked at.
    private static IEnumerable<string> OfOfficialClients() =>
        Directory
            .EnumerateFiles(FileBeside("../Interop.Tests"), "*ClientTests.cs")
            .SelectMany(file =>
                Test()
                    .Matches(File.ReadAllText(file))
                    .Select(test => $"{Path.GetFileNameWithoutExtension(file)}.{test.Groups["name"].Value}")
            );

    private static string FileBeside(string name, [CallerFilePath] string file = "") =>
        Path.Combine(Path.GetDirectoryName(file)!, name);

    [GeneratedRegex(
        @"^\|.*\| (both|edgeHub|iotHub) \| `(?<test>\w+\.\w+)` \|$",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 5000
    )]
    private static partial Regex Row();

    [GeneratedRegex(
        @"^    \[(Fact|Theory)\]\r?\n(    \[.*\r?\n)*    public async Task (?<name>\w+)\(",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 5000
    )]
    private static partial Regex Test();
}
