from cooee.cli import main

main()
