# For Linux alone; sesame runs on no other system. packaging/try-recipes parses it; Homebrew has not run it.
class Sesame < Formula
  desc "Extensions of the desktop session, with the permissions that you grant"
  homepage "https://github.com/open-sesame/sesame"
  url "https://github.com/open-sesame/sesame.git", tag: "v0.2.0"
  license any_of: ["MIT", "Apache-2.0"]
  head "https://github.com/open-sesame/sesame.git", branch: "main"

  depends_on "cargo-auditable" => :build
  depends_on "rust" => :build
  depends_on :linux

  def install
    system "cargo", "auditable", "install", "--profile", "dist", *std_cargo_args(path: "sesame-cli")
    generate_completions_from_executable(bin/"sesame", "completions", shells: [:bash, :zsh, :fish])
    system bin/"sesame", "man", buildpath/"man/man1"
    man1.install Dir["man/man1/*"]
    man5.install Dir["man/man5/*"]
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/sesame --version")
    assert_match "Hello, World!", shell_output("#{bin}/sesame demo --fast")
  end
end
